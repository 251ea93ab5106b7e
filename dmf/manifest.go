package dmf

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// Names of the two XML files of a data package. Compare without regard to case.
const (
	ManifestName      = "Manifest.xml"
	PackageHeaderName = "PackageHeader.xml"
)

// Manifest is the table of contents of a data package.
type Manifest struct {
	DefinitionGroup DefinitionGroup // data project
	Description     string
	Entities        []ManifestEntity // in the order of the file
}

// ManifestEntity is one entity of a package. Elements that came with newer
// versions are zero in packages of older ones.
type ManifestEntity struct {
	EntityName    string // label, "Customer groups"
	InputFilePath string // name of the data file, "Customer groups.csv"
	TargetEntity  string // AOT name, "CustCustomerGroupEntity"; newer
	// RefreshType is "FullPush" or the incremental value, as sent; newer.
	// Assumed: spelled "Incremental"; not seen in a package yet.
	RefreshType  string
	SourceFormat string // "CSV-Unicode", "EXCEL", "XML-Element", ...
	SheetName    string // of an Excel file
	Disabled     bool   // newer
	SkipStaging  bool   // newer

	ExecutionUnit, Level, Sequence int

	Columns []ManifestColumn // in the order of the file
}

// ManifestColumn maps a column of the data file to a field of the entity.
type ManifestColumn struct {
	EntityField string
	FileField   string // column or element name in the data file
}

// PackageHeader is the other XML file of a data package.
type PackageHeader struct {
	Description    string // data project
	ManifestType   string
	PackageType    string // "DefinitionGroup"
	PackageVersion string // "1" in 2017, "2" in newer ones
}

// The wire types hold text only, so that one odd number or flag does not cost
// the whole manifest. They name no namespace and so accept any.
type (
	wireManifest struct {
		XMLName             xml.Name
		DefinitionGroupName string
		Description         string
		Entities            []wireEntity `xml:"PackageEntityList>DataManagementPackageEntityData"`
	}
	wireEntity struct {
		DefaultRefreshType   string
		Disable              string
		EntityName           string
		ExcelSheetName       string
		ExecutionUnit        string
		InputFilePath        string
		LevelInExecutionUnit string
		SequenceInLevel      string
		SkipStaging          string
		SourceFormat         string
		TargetEntity         string
		Columns              []wireColumn `xml:"EntityMapList>EntityMap"`
	}
	wireColumn struct {
		EntityField string
		XMLField    string
	}
	wireHeader struct {
		XMLName        xml.Name
		Description    string
		ManifestType   string
		PackageType    string
		PackageVersion string
	}
)

const (
	manifestRoot = "DataManagementPackageManifest"
	headerRoot   = "DataManagementPackageHeader"
)

// DecodeManifest reads a Manifest.xml: UTF-16 as FinOps writes it, or UTF-8,
// with or without byte order mark and declaration. The order of elements does
// not matter, namespaces are not checked, unknown elements are passed over.
// The error says where the XML breaks, or which other root element it has.
func DecodeManifest(data []byte) (Manifest, error) {
	var w wireManifest
	if err := decodeXML(data, &w); err != nil {
		return Manifest{}, fmt.Errorf("read %s: %w", ManifestName, err)
	}
	if w.XMLName.Local != manifestRoot {
		return Manifest{}, fmt.Errorf("read %s: root element is %q, want %s", ManifestName, w.XMLName.Local, manifestRoot)
	}
	m := Manifest{
		DefinitionGroup: DefinitionGroup(strings.TrimSpace(w.DefinitionGroupName)),
		Description:     w.Description,
	}
	for _, e := range w.Entities {
		m.Entities = append(m.Entities, e.entity())
	}
	return m, nil
}

// DecodePackageHeader reads a PackageHeader.xml, in the encodings that
// DecodeManifest reads.
func DecodePackageHeader(data []byte) (PackageHeader, error) {
	var w wireHeader
	if err := decodeXML(data, &w); err != nil {
		return PackageHeader{}, fmt.Errorf("read %s: %w", PackageHeaderName, err)
	}
	if w.XMLName.Local != headerRoot {
		return PackageHeader{}, fmt.Errorf("read %s: root element is %q, want %s", PackageHeaderName, w.XMLName.Local, headerRoot)
	}
	return PackageHeader{w.Description, w.ManifestType, w.PackageType, w.PackageVersion}, nil
}

func (w wireEntity) entity() ManifestEntity {
	e := ManifestEntity{
		EntityName:    strings.TrimSpace(w.EntityName),
		InputFilePath: strings.TrimSpace(w.InputFilePath),
		TargetEntity:  strings.TrimSpace(w.TargetEntity),
		RefreshType:   strings.TrimSpace(w.DefaultRefreshType),
		SourceFormat:  strings.TrimSpace(w.SourceFormat),
		SheetName:     w.ExcelSheetName,
		Disabled:      wireBool(w.Disable),
		SkipStaging:   wireBool(w.SkipStaging),
		ExecutionUnit: wireInt(w.ExecutionUnit),
		Level:         wireInt(w.LevelInExecutionUnit),
		Sequence:      wireInt(w.SequenceInLevel),
	}
	for _, c := range w.Columns {
		e.Columns = append(e.Columns, ManifestColumn{EntityField: c.EntityField, FileField: c.XMLField})
	}
	return e
}

// wireBool reads "true" and the "Yes" of X++ enums; the rest is false.
func wireBool(text string) bool {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "yes", "1":
		return true
	}
	return false
}

func wireInt(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 0
	}
	return n
}

// decodeXML decodes one document. encoding/xml reads UTF-8 only, so UTF-16 is
// made UTF-8 first; a declaration that says UTF-16 is then no longer true and
// is passed over. The Windows code page is for packages edited by hand.
func decodeXML(data []byte, into any) error {
	d := xml.NewDecoder(strings.NewReader(textOf(data)))
	d.CharsetReader = func(charset string, input io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "utf-16", "utf-16le", "utf-16be", "unicode", "us-ascii":
			return input, nil
		case "windows-1252", "iso-8859-1":
			return charmap.Windows1252.NewDecoder().Reader(input), nil
		}
		return nil, fmt.Errorf("unknown encoding %q", charset)
	}
	return d.Decode(into)
}
