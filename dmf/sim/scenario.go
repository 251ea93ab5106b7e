package sim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Scenario is a story that a simulator plays: what there is, what happens when,
// and what goes wrong. docs/simulator.md explains the file. Times are durations
// after the beginning, like "90s" or "2h30m".
type Scenario struct {
	About string    `yaml:"about"` // one sentence for whoever lists scenarios
	Seed  uint64    `yaml:"seed"`
	Clock time.Time `yaml:"clock"` // when it begins; zero = now

	LinkLife  time.Duration `yaml:"link_life"` // Options.LinkLife
	Retention time.Duration `yaml:"retention"` // Options.Retention

	SignIn     ScenarioSignIn     `yaml:"sign_in"`
	Projects   []ScenarioProject  `yaml:"projects"`
	Activities []ScenarioActivity `yaml:"activities"`
	Timeline   []ScenarioStep     `yaml:"timeline"`
	Faults     []ScenarioFault    `yaml:"faults"`
}

// ScenarioSignIn is IdentityOptions and Options.OnPremises.
type ScenarioSignIn struct {
	OnPremises bool          `yaml:"on_premises"`
	Tenant     string        `yaml:"tenant"`
	TenantID   string        `yaml:"tenant_id"`
	TokenLife  time.Duration `yaml:"token_life"`
	Page       bool          `yaml:"page"` // 302 to a sign-in page instead of 401
	Apps       []ScenarioApp `yaml:"apps"` // none = the default app
}

// ScenarioApp is an App.
type ScenarioApp struct {
	ClientID      string        `yaml:"client_id"`
	Secret        string        `yaml:"secret"`
	SecretExpires time.Duration `yaml:"secret_expires"` // after the beginning; 0 = never
	NoPrincipal   bool          `yaml:"no_principal"`
	NotListed     bool          `yaml:"not_listed"`
	NoRights      bool          `yaml:"no_rights"`
}

// ScenarioProject is a Project.
type ScenarioProject struct {
	Name          string           `yaml:"name"`
	Format        string           `yaml:"format"`
	Incremental   bool             `yaml:"incremental"`
	LegalEntities []string         `yaml:"legal_entities"`
	Entities      []ScenarioEntity `yaml:"entities"`
	Script        ScenarioScript   `yaml:"script"`     // of every execution beyond those below
	Executions    []ScenarioScript `yaml:"executions"` // of the first ones, in order
}

// ScenarioEntity is a ProjectEntity.
type ScenarioEntity struct {
	Label  string `yaml:"label"`
	Rows   int    `yaml:"rows"`
	Shared bool   `yaml:"shared"`
}

// ScenarioScript is an ExecutionScript.
type ScenarioScript struct {
	Statuses      []string      `yaml:"statuses"`
	Lasts         time.Duration `yaml:"lasts"`
	URLEmpty      int           `yaml:"url_empty"`
	EmptyGUID     bool          `yaml:"empty_guid"`
	Refuse        string        `yaml:"refuse"`
	Errors        string        `yaml:"errors"`
	InvalidErrors bool          `yaml:"invalid_errors"`
	Nested        bool          `yaml:"nested"`
}

// ScenarioActivity is a recurring job, see ActivityOptions.
type ScenarioActivity struct {
	ID           string        `yaml:"id"`
	Project      string        `yaml:"project"`
	Clients      []string      `yaml:"clients"`
	Location     string        `yaml:"location"`
	Braces       bool          `yaml:"braces"`
	Visibility   time.Duration `yaml:"visibility"`
	StaleReceipt int           `yaml:"stale_receipt"`
	EmptyAs200   bool          `yaml:"empty_as_200"`
}

// ScenarioStep is something that happens at a time, once or again and again: a
// run of a project, or something with sign-in.
type ScenarioStep struct {
	At    time.Duration `yaml:"at"`
	Every time.Duration `yaml:"every"` // 0 = all Times at once
	Times int           `yaml:"times"` // 0 = once, Always = without end

	Project     string `yaml:"project"`
	LegalEntity string `yaml:"legal_entity"` // "" = usmf
	Grow        int    `yaml:"grow"`         // rows each entity gets first
	Event       bool   `yaml:"event"`        // posted to the door
	Queue       string `yaml:"queue"`        // activity whose queue gets a message; "" = none
	Bare        bool   `yaml:"bare"`         // a file an entity, with event and message of its own, instead of one package
	Pad         int    `yaml:"pad"`          // bytes of further rows in each bare file, the same in all of them
	NoFile      bool   `yaml:"no_file"`      // the message says that there is no file
	Style       string `yaml:"style"`        // of the event, an EventStyle

	RotateSecret *ScenarioRotation `yaml:"rotate_secret"`
	RevokeTokens bool              `yaml:"revoke_tokens"`
}

// ScenarioRotation is a RotateSecret.
type ScenarioRotation struct {
	ClientID string `yaml:"client_id"`
	Secret   string `yaml:"secret"`
}

// ScenarioFault is a Fault with its window after the beginning.
type ScenarioFault struct {
	Route   string        `yaml:"route"`
	Blob    string        `yaml:"blob"`
	Subject string        `yaml:"subject"`
	Client  string        `yaml:"client"`
	From    time.Duration `yaml:"from"`
	Until   time.Duration `yaml:"until"` // 0 = to the end
	Skip    int           `yaml:"skip"`
	Times   int           `yaml:"times"` // 0 = once; Always if there is an Until

	Delay          time.Duration `yaml:"delay"`
	Status         int           `yaml:"status"`
	Code           string        `yaml:"code"`
	Message        string        `yaml:"message"`
	RetryAfter     time.Duration `yaml:"retry_after"`
	RetryAfterDate bool          `yaml:"retry_after_date"`
	RetryAfterGrow time.Duration `yaml:"retry_after_grow"`
	ProxyPage      bool          `yaml:"proxy_page"` // NoAzureHeaders
	Body           string        `yaml:"body"`
	ContentType    string        `yaml:"content_type"`
	Redirect       bool          `yaml:"redirect"`
	Lost           bool          `yaml:"lost"`
	Reset          bool          `yaml:"reset"`
	CutAfter       int64         `yaml:"cut_after"`
	HangAfter      int64         `yaml:"hang_after"`
	Drip           int           `yaml:"drip"` // DripBytesPerSec
	WrongETag      bool          `yaml:"wrong_etag"`
	WrongLength    bool          `yaml:"wrong_length"`
	NoLength       bool          `yaml:"no_length"`
	Gzip           bool          `yaml:"gzip"`
	IgnoreRange    bool          `yaml:"ignore_range"`
}

// ScenarioError is what is wrong with a scenario's file, and where.
type ScenarioError struct {
	Line, Column int    // from 1; 0 = the file as a whole
	Field        string // "timeline[1].project"; "" = not a field's fault
	Err          error
}

func (e *ScenarioError) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", e.Line, e.Column)
	}
	if e.Field != "" {
		b.WriteString(e.Field + ": ")
	}
	return b.String() + e.Err.Error()
}

func (e *ScenarioError) Unwrap() error { return e.Err }

// LoadScenario reads a scenario's YAML, strictly: a field that does not exist,
// a name that nothing has, or a value that makes no sense is a *ScenarioError,
// all of the last two kinds joined into one error. No error repeats a secret.
func LoadScenario(data []byte) (Scenario, error) {
	var sc Scenario
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return Scenario{}, placed(err)
	}
	err = yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&sc)
	if err != nil && !errors.Is(err, io.EOF) { // an empty file is an empty scenario
		return Scenario{}, misread(file, err)
	}
	if len(file.Docs) > 1 {
		at := file.Docs[1].Start
		if at == nil {
			return Scenario{}, &ScenarioError{Err: errors.New("a second YAML document; one file holds one scenario")}
		}
		return Scenario{}, &ScenarioError{Line: at.Position.Line, Column: at.Position.Column, Err: errors.New("a second YAML document; one file holds one scenario")}
	}
	c := &scenarioCheck{file: file}
	c.scenario(sc)
	if err := errors.Join(c.found...); err != nil {
		return Scenario{}, err
	}
	return sc, nil
}

// placed turns the YAML library's error into ours. Its excerpt of the file,
// which may hold a secret, stays out.
func placed(err error) error {
	ye, ok := errors.AsType[yaml.Error](err)
	if !ok {
		return &ScenarioError{Err: err}
	}
	e := &ScenarioError{Err: errors.New(ye.GetMessage())}
	if t := ye.GetToken(); t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
	return e
}

// misread places an error of decoding. The library does not say where a
// duration or a time is that it could not read, but repeats the text.
func misread(file *ast.File, err error) error {
	e, ok := errors.AsType[*ScenarioError](placed(err))
	if !ok || e.Line > 0 {
		return e
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		for _, n := range ast.Filter(ast.StringType, doc.Body) {
			if e.Line == 0 && strings.Contains(err.Error(), strconv.Quote(n.GetToken().Value)) {
				e.Line, e.Column = n.GetToken().Position.Line, n.GetToken().Position.Column
			}
		}
	}
	return e
}

// place finds a field in the file, or the nearest thing around it that is
// there.
func place(file *ast.File, field string) (line, column int) {
	for path := "$." + field; ; {
		if p, err := yaml.PathString(path); err == nil {
			if n, err := p.FilterFile(file); err == nil && n != nil && n.GetToken() != nil {
				at := firstToken(n).Position
				return at.Line, at.Column
			}
		}
		cut := strings.LastIndexAny(path, ".[")
		if cut <= 0 {
			return 0, 0
		}
		path = path[:cut]
		if path == "$" {
			return 0, 0
		}
	}
}
