package ris

import (
	"slices"
	"strings"
)

// Keys of a job's settings.
//
// Source: microsoft/Recurring-Integrations-Scheduler,
// Common/Contracts/SettingsConstants.cs, Scheduler/Forms/DownloadJobV3.cs and
// Common/JobSettings/ExportJobSettings.cs; for the encryption, Common/Helpers/EncryptDecrypt.cs (LocalMachine scope).
const (
	keyURL          = "AosUri"
	keyAuthority    = "AzureAuthEndpoint"
	keyTenant       = "AadTenant"
	keyClientID     = "AadClientId"
	keySecret       = "AadClientSecret" // encrypted for the machine
	keyServiceAuth  = "UseServiceAuthentication"
	keyADAL         = "UseADAL" // the older library, and so Entra's v1 endpoint
	keyUser         = "UserName"
	keyPassword     = "UserPassword" // encrypted for the machine
	keyActivity     = "ActivityId"
	keyFolder       = "DownloadSuccessDir"
	keyPaused       = "IndefinitePause"
	keyUnzip        = "UnzipPackage"
	keyDataProject  = "DataProject"
	keyCompany      = "Company"
	keyStatusDelay  = "DelayBetweenStatusCheck"
	downloadJobType = "RecurringIntegrationsScheduler.Job.Download"
	exportJobType   = "RecurringIntegrationsScheduler.Job.Export"
)

// withoutCounterpart are settings that finrelay does in its own way: it waits
// and retries by itself, names files by what is in them, and always unpacks.
var withoutCounterpart = []string{
	"DownloadErrorsDir", "AddTimestamp", "DeletePackage", "Interval", "DelayBetweenFiles", "RetryCount", "RetryDelay", "PauseJobOnException", "LogVerbose",
}

// exportOnly are settings of export jobs. How often a run's status is asked is
// finrelay's own matter.
var exportOnly = []string{keyDataProject, keyCompany, keyStatusDelay}

var known = append([]string{
	keyURL, keyAuthority, keyTenant, keyClientID, keySecret, keyServiceAuth, keyADAL, keyUser, keyPassword, keyActivity, keyFolder, keyPaused, keyUnzip,
}, withoutCounterpart...)

// get gives a setting, whatever the case of its key, without white space around.
func (j job) get(name string) string {
	for _, e := range j.Entries {
		if strings.EqualFold(strings.TrimSpace(e.Key), name) {
			return strings.TrimSpace(e.Value)
		}
	}
	return ""
}

// flag reads "True" and "true"; a missing one is false.
// Source: the scheduler reads them with Convert.ToBoolean.
func (j job) flag(name string) bool { return strings.EqualFold(j.get(name), "true") }

// unknown lists settings of a job that this version does not know, names only:
// a value may be a secret. Paths of actions are finrelay's own.
func (j job) unknown() []string {
	var names []string
	for _, e := range j.Entries {
		name := strings.TrimSpace(e.Key)
		same := func(k string) bool { return strings.EqualFold(k, name) }
		if name == "" || strings.HasSuffix(name, "ActionPath") || slices.ContainsFunc(known, same) {
			continue
		}
		if j.kind() == exportJobType && slices.ContainsFunc(exportOnly, same) {
			continue
		}
		names = append(names, name)
	}
	return names
}

// kind is the class of a job, without the assembly it is in.
func (j job) kind() string {
	class, _, _ := strings.Cut(j.Type, ",")
	return strings.TrimSpace(class)
}

// title names a job for people.
func (j job) title() string {
	group := strings.TrimSpace(j.Group)
	if group == "" {
		group = defaultGroup
	}
	return group + "." + strings.TrimSpace(j.Name)
}
