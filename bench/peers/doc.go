// Package peers installs the programs that finrelay is measured against and
// that come from npm. Each has a folder here: package.json, a lock file, and
// the script that people would write.
package peers
