// Package outputstest holds the suite that every output passes, so that the
// order of work can rely on the same promises whatever rows go to.
package outputstest
