package dmf_test

import (
	"fmt"

	"finrelay/dmf"
)

func ExampleDecodeBusinessEvents() {
	body := []byte(`{"EntityName":"Customer groups","LegalEntity":"usmf","EventId":"{6070E2A4-A3D8-4074-B105-4F2666CCA04C}",
		"EventTime":"/Date(1560839609000)/","DownloadURL":"https://contoso.blob.core.windows.net/dmf/a.csv?sig=secret"}`)
	events, err := dmf.DecodeBusinessEvents(body, dmf.DefaultFieldNames())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range events {
		fmt.Println(e.Kind(), e.EntityName, e.LegalEntity, e.EventID, e.EventTime)
	}
	// Output: export Customer groups usmf 6070e2a4-a3d8-4074-b105-4f2666cca04c 2019-06-18 06:33:29 +0000 UTC
}

func ExampleDecodeManifest() {
	data := dmf.EncodeManifest(dmf.Manifest{
		DefinitionGroup: "Nightly",
		Entities:        []dmf.ManifestEntity{{EntityName: "Country/regions", InputFilePath: dmf.FileName("Country/regions", "csv")}},
	})
	m, err := dmf.DecodeManifest(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range m.Entities {
		fmt.Printf("%s: %s in %s\n", m.DefinitionGroup, e.EntityName, e.InputFilePath)
	}
	// Output: Nightly: Country/regions in Countryregions.csv
}
