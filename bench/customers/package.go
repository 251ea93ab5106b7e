package customers

import (
	"archive/zip"
	"fmt"
	"io"
	"time"

	"finrelay/dmf"

	"github.com/klauspost/compress/flate"
)

// WritePackage writes a data package: manifest, header and one data file as
// Write makes it, deflated at level 6.
func WritePackage(w io.Writer, format Format, size int64, seed uint64) (rows int, err error) {
	return writePackage(w, format, []string{""}, size, seed)
}

// WriteSeveral writes a data package of n data files, numbered from 1, each of
// size bytes and with rows of its own.
func WriteSeveral(w io.Writer, format Format, n int, size int64, seed uint64) (rows int, err error) {
	var suffixes []string
	for i := range n {
		suffixes = append(suffixes, fmt.Sprintf(" %d", i+1))
	}
	return writePackage(w, format, suffixes, size, seed)
}

func writePackage(w io.Writer, format Format, suffixes []string, size int64, seed uint64) (rows int, err error) {
	archive := zip.NewWriter(w)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 6) })
	manifest := dmf.Manifest{DefinitionGroup: "Customers export"}
	for _, suffix := range suffixes {
		manifest.Entities = append(manifest.Entities, dmf.ManifestEntity{
			EntityName:    Entity + suffix,
			InputFilePath: format.fileName(suffix),
			TargetEntity:  rowElement,
			RefreshType:   "FullPush",
			SourceFormat:  format.source(),
		})
	}
	if err := addFile(archive, dmf.ManifestName, dmf.EncodeManifest(manifest)); err != nil {
		return 0, err
	}
	if err := addFile(archive, dmf.PackageHeaderName, dmf.EncodePackageHeader(dmf.PackageHeader{})); err != nil {
		return 0, err
	}
	for i, suffix := range suffixes {
		entry, err := create(archive, format.fileName(suffix))
		if err != nil {
			return rows, err
		}
		n, err := Write(entry, format, size, seed+uint64(i))
		rows += n
		if err != nil {
			return rows, err
		}
	}
	return rows, archive.Close()
}

func addFile(archive *zip.Writer, name string, content []byte) error {
	w, err := create(archive, name)
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

// create fixes the time, so that the same seed gives the same bytes.
func create(archive *zip.Writer, name string) (io.Writer, error) {
	return archive.CreateHeader(&zip.FileHeader{
		Name:     name,
		Method:   zip.Deflate,
		Modified: time.Date(2024, 5, 6, 7, 8, 10, 0, time.UTC),
	})
}
