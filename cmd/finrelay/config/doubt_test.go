package config

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// addresses are ways to write a secret into an address or connection string.
var addresses = []string{
	"https://u:hunter2@finops.example", "https://u:hun/hunter2@host", "u:hunter2@host", "//u:hunter2@host", "hunter2@host:8080",
	"https://u:p@ss@hunter2@host", "https://u:hunter2%40host", "u%3Ahunter2%40host", `https:\\u:hunter2@host`, "https:/hunter2/x",
	"https://host/?token=hunter2", "?token=hunter2", "host?hunter2", "https://host/#access_token=hunter2", "#access_token=hunter2", "host#hunter2",
	"https://acct.blob.core.windows.net/c/f.zip?sv=2021&sig=hunter2%3D&se=2026", "https://hooks.example/T000/hunter2",
	"DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hunter2==;EndpointSuffix=core.windows.net", "AccountKey=hunter2", "./out;AccountKey=hunter2",
	"Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=k;SharedAccessKey=hunter2=", "Server=tcp:h,1433;Password=hunter2;User ID=u",
	"Password = hunter2", "redis:6379,password:hunter2", "amqp://hunter2", "sig=hunter2", "{\"token\": \"hunter2\"}", "https://ü:hünter hunter2@höst", "https://u:'hunter2'@h",
}

// places are lines with room for text of every kind, and a mistake beside it
// (fetchers: many) so that the line is shown.
var places = []struct{ flow, block string }{
	{`environments: {prod: {fetchers: many, url: %s}}`, "environments:\n  prod:\n    url: %s\n    sign_in: {tenant: t, client_id: c, secret: s}"},
	{`environments: {prod: {fetchers: many, sign_in: {authority: %s}}}`, "environments:\n  prod:\n    url: https://h.example\n    sign_in:\n      method: adfs\n      authority: %s\n      client_id: 1\n      secret: s"},
	{`environments: {prod: {fetchers: many, proxy: %s}}`, "environments:\n  prod:\n    proxy: %s"},
	{`environments: {prod: {fetchers: many, link_hosts: [%s]}}`, "environments:\n  prod:\n    link_hosts:\n      - %s"},
	{`environments: {prod: {fetchers: many, ca_file: %s}}`, "environments:\n  prod:\n    ca_file: %s"},
	{`environments: {prod: {fetchers: many, keys_file: %s}}`, "environments:\n  prod:\n    keys_file: %s"},
	{`environments: {prod: {fetchers: %s}}`, "environments:\n  prod:\n    fetchers: %s"},
	{`environments: {prod: {fetchers: many, sign_in: {secret: {file: %s}}}}`, "environments:\n  prod:\n    sign_in:\n      secret:\n        file: %s"},
	{`environments: {prod: {fetchers: many, ulr: %s}}`, "environments:\n  prod:\n    ulr: %s"},
	{`environments: {prod: {fetchers: many, %s: x}}`, "environments:\n  prod:\n    %s: x"},
	{`environments: {%s: {fetchers: many}}`, "environments:\n  %s:\n    url: x"},
	{`environments: {prod: {sign_in: {secret: {%s: }}, fetchers: many}}`, "environments:\n  prod:\n    sign_in:\n      secret:\n        %s: x"},
	{`outputs: {a: {envelope: maybe, folder: %s}}`, "outputs:\n  a:\n    folder: %s\n    format: odd"},
	{`outputs: {a: {folder: x, format: odd, path: %s}}`, "outputs:\n  a:\n    folder: x\n    path: %s"},
	{`flows: [{name: %s, match: x}]`, "flows:\n  - name: %s"},
	{`flows: [{name: a, on_partial: x, cadence: {every: %s}}]`, "flows:\n  - name: a\n    cadence:\n      every: %s"},
	{`flows: [{name: a, on_zero_rows: x, cadence: {every: 2h, zone: %s}}]`, "flows:\n  - name: a\n    cadence:\n      every: 2h\n      zone: %s"},
	{`flows: [{name: a, on_zero_rows: x, queue: {environment: %s, activity: x}}]`, "flows:\n  - name: a\n    queue:\n      activity: %s"},
	{`flows: [{name: a, on_zero_rows: x, project: {name: N, schedule: %s}}]`, "flows:\n  - name: a\n    project:\n      name: N\n      schedule: %s"},
	{`flows: [{name: a, on_zero_rows: x, entities: [%s], legal_entities: [""]}]`, "flows:\n  - name: a\n    entities:\n      - %s\n      - ''"},
	{`flows: [{name: a, on_zero_rows: x, when: %s}]`, "flows:\n  - name: a\n    when: %s"},
	{`flows: [{name: a, on_zero_rows: x, read: {encoding: %s, delimiter: no}}]`, "flows:\n  - name: a\n    read:\n      encoding: %s"},
	{`flows: [{name: a, on_zero_rows: x, read: {children: [%s], delimiter: %s}}]`, "flows:\n  - name: a\n    read:\n      quote: %s"},
	{`flows: [{name: a, constants: [{name: k, type: integer, value: %s}]}]`, "flows:\n  - name: a\n    transform: %s"},
	{`tls: {certificate: %s, key: x}`, "tls:\n  certificate: x\n  key: %s"},
	{`listen: %s`, "listen: %s"},
	{`state: ""` + "\n" + `listen: {%s: 1}`, "log:\n  level: %s"},
}

// spellings are the ways YAML has to write text.
var spellings = map[string]func(string) string{
	"plain":  func(s string) string { return s },
	"double": strconv.Quote,
	"single": func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" },
	"anchor": func(s string) string { return "&a " + strconv.Quote(s) },
	"folded": func(s string) string {
		return "\"" + strings.ReplaceAll(strings.Trim(strconv.Quote(s), `"`), ":", ":\\\n         ") + "\""
	},
	"escape": func(s string) string {
		return `"` + strings.NewReplacer("@", `\x40`, "=", `\x3d`, "?", `\x3f`, "#", `\x23`, `\`, `\\`, `"`, `\"`).Replace(s) + `"`
	},
	"default": func(s string) string { return strconv.Quote("${NOT_SET:-" + strings.ReplaceAll(s, "}", "") + "}") },
}

// TestAddressesAreNotShown: whatever setting an address with a secret stands
// in, and however it is written, no message repeats the secret.
func TestAddressesAreNotShown(t *testing.T) {
	t.Chdir(t.TempDir())
	for n, s := range places {
		for name, spell := range spellings {
			for i, address := range addresses {
				if name != "plain" && name != "double" && (i+n)%4 != 0 {
					continue // each address is spelt so somewhere
				}
				checkHidden(t, strings.ReplaceAll(s.flow, "%s", spell(address)), name)
				checkHidden(t, strings.ReplaceAll(s.block, "%s", spell(address)), name)
			}
		}
		for _, address := range addresses { // a block of text, and the mistake in its second line
			checkHidden(t, strings.ReplaceAll(s.block, "%s", "|\n          . |\n          "+address), "literal")
			checkHidden(t, strings.ReplaceAll(s.block, ": %s", ":"+address), "no space")
		}
	}
}

func checkHidden(t *testing.T, text, how string) {
	t.Helper()
	_, err := Parse("finrelay.yaml", []byte(text), nil)
	if err != nil && strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%s: %s\ngives: %v", how, text, err)
	}
}

// TestServersAreHostsOnly: the two addresses that are asked carry no secret in
// a configuration that is accepted, and print none in one that was not checked.
func TestServersAreHostsOnly(t *testing.T) {
	for _, address := range addresses {
		if strings.HasPrefix(address, "https://h") && !strings.ContainsAny(address, "@=?#") {
			continue // a host and a path
		}
		if shown := fmt.Sprintf("%v %+v %q", Address(address), Environment{URL: Address(address)}, Address(address)); strings.Contains(shown, "hunter2") {
			t.Errorf("%s prints %s", address, shown)
		}
		if shown := fmt.Sprintf("%v %+v", ProxyURL(address), Environment{Proxy: ProxyURL(address)}); strings.Contains(shown, "hunter2") {
			t.Errorf("%s as a proxy prints %s", address, shown)
		}
		for _, field := range []string{"url: %s, sign_in: {tenant: t, client_id: c, secret: s}", "url: https://h.example, sign_in: {method: adfs, client_id: c, secret: s, authority: %s}"} {
			if _, err := Parse("finrelay.yaml", []byte("environments: {prod: {"+fmt.Sprintf(field, strconv.Quote(address))+"}}"), nil); err == nil {
				t.Errorf("%s is accepted with %s", field, address)
			}
		}
	}
	if got := Address("https://adfs.contoso.example/adfs").String(); got != "https://adfs.contoso.example/adfs" {
		t.Errorf("a harmless address prints %s", got)
	}
}

// TestHarmlessIsShown: what has no room for a secret stays readable.
func TestHarmlessIsShown(t *testing.T) {
	for _, text := range []string{"@every 6h", "@daily", "#,##0", "#.##0", "=", "??", "{environment}/{export_id}.jsonl", `C:\exports`, "./out", "0 2 * * *",
		"contoso.blob.core.windows.net", "Customer groups", "host:443", "LINE/CHARGE",
		"Vendors?", "Cust?mer groups", "Customers V3?", "SalesOrderHeaderV2Entity?", "Sales @ store", "@home", "Item # list", "C# projects", "Nr. #12", "Rate = 5",
		"Q1=Q2", "yes/no?", "A=b", "Was ist größer?", "#,##0.00 kg", "yyyy-MM-dd #", "0 6 ? * MON-FRI", "CRON_TZ=Europe/Berlin 0 2 * * *", "TZ=America/New_York @daily", "{entity}=new",
		"Key = value", "/srv/lake/stage=raw"} {
		if doubtful(text) {
			t.Errorf("%q is hidden", text)
		}
	}
	for _, text := range []string{`.NoOfRecords >> 0`, `.LegalEntity == "usmf" and .a?.b`, "# usmf only\n.a = 1 | .b |= ascii_downcase", `.x | @base64, @text`, `{key: .a, value: .b}`,
		`select(.A != "x" and .B >= 10)`, `.a //= "x"`, `[.[]?]`, `.a=1|.b="x"`, `.Name | test("colou?r")`, `.Email | endswith("@contoso.com")`,
		`select(.Secret == true)`, `.Item|contains("#")`, `.x | test("@")`, `.Rate=.Rate*100`} {
		if doubtfulProgram(text) {
			t.Errorf("program %q is hidden", text)
		}
	}
}

// TestSecretsAreHidden: what could be a secret is one, whatever its letters are.
func TestSecretsAreHidden(t *testing.T) {
	for _, text := range []string{"u:geheim@host", "Password=geheim", "pwd = geheim", "?opensesame", "host#opensesame", "AccountKey=abc", "x=opensesame", "opensesame==", "opensesame@ host",
		"Pin=123456", "Endpoint=sb://x", "a=b;SharedAccessKey=zz", "ab1-cd2-ef3?", "Customers?token1234", "ABC123DEF456?", "TZ=hunter2 @daily", "TZ=a/hunter2 @daily"} {
		if !doubtful(text) {
			t.Errorf("%q is shown", text)
		}
	}
	for _, text := range []string{"u:geheim@host", "sig=geheim", "./out;AccountKey=geheim", ".a?opensesame", ".sig=hunter2", ".a=opensesame", `"u:geheim@host"`} {
		if !doubtfulProgram(text) {
			t.Errorf("program %q is shown", text)
		}
	}
}

// FuzzAddressIsNotShown: what surrounds the secret is arbitrary, as long as it
// makes an address or a connection string of it.
func FuzzAddressIsNotShown(f *testing.F) {
	for i, address := range addresses {
		before, after, _ := strings.Cut(address, "hunter2")
		f.Add(before, after, uint8(i), uint8(i))
	}
	f.Chdir(f.TempDir())
	names := sortedKeys(spellings)
	f.Fuzz(func(t *testing.T, before, after string, setting, spelling uint8) {
		s := places[int(setting)%len(places)]
		isAddress := strings.Contains(before, "://") || strings.ContainsAny(before, "=?#") || strings.Contains(after, "@")
		if !isAddress || !utf8.ValidString(before+after) || strings.Contains(s.flow, "when:") || strings.Contains(s.block, "transform:") {
			return // in a program the four characters are operators
		}
		text := spellings[names[int(spelling)%len(names)]](before + "hunter2" + after)
		checkHidden(t, strings.ReplaceAll(s.flow, "%s", text), names[int(spelling)%len(names)])
		checkHidden(t, strings.ReplaceAll(s.block, "%s", text), names[int(spelling)%len(names)])
	})
}
