package config

// The comments of the fields below are also the descriptions in the JSON
// Schema (see Schema), so they speak to the person who writes the file.
// The enum= parts of the tags are what Validate accepts.

// Config is the whole file. Load and Parse return it checked and with every
// default filled in; it is not changed afterwards, so goroutines may share it.
type Config struct {
	// Folder of the ledger, the raw files and the control socket. It must be on a local disk. Default ./data.
	State string `yaml:"state" path:"local"`
	// Address and port of the HTTP listener. Default 127.0.0.1:8686.
	Listen string `yaml:"listen"`
	// Certificate of the listener. Without it the listener speaks plain HTTP.
	TLS TLS `yaml:"tls"`
	// Allows a listener that other machines reach without TLS, for example behind a proxy that ends TLS. Keys then cross that network in clear text. Default false.
	Insecure bool `yaml:"insecure"`
	// What the program writes to standard error.
	Log Log `yaml:"log"`
	// Whether the first flow that matches takes an export, or every flow that matches. Default first.
	Match string `yaml:"match" jsonschema:"enum=first,enum=all"`
	// The receivers, one for each dialect of sender.
	Doors Doors `yaml:"doors"`
	// The FinOps instances by name; the name is part of the address events are sent to. Without this section any name is accepted.
	Environments map[string]Environment `yaml:"environments"`
	// Which exports go where, in order. Without this section one flow named everything sends every export to every output. An empty list parks every export with its raw file kept.
	Flows []Flow `yaml:"flows"`
	// Places that rows go to, by name. Without this section one output named out writes files below ./out.
	Outputs map[string]Output `yaml:"outputs"`
	// Remarks of landed exports that finrelay status --check counts, until a person has looked (finrelay seen). An empty list counts none. Default row_mismatch and rows_set_aside.
	AlertOn []string `yaml:"alert_on" jsonschema:"enum=row_mismatch,enum=rows_set_aside,enum=encoding_guessed,enum=bytes_replaced,enum=stray_quotes,enum=type_errors,enum=columns_missing,enum=records_uneven,enum=package_odd"`
	// How much work runs at the same time.
	Workers Workers `yaml:"workers"`
	// How long things are kept.
	Retention Retention `yaml:"retention"`
	// How the program ends.
	Shutdown Shutdown `yaml:"shutdown"`

	source *source // where each value stood; nil for a Config that was not read from a file
}

// TLS names the listener's certificate.
type TLS struct {
	// PEM file with the certificate, followed by its intermediates.
	Certificate string `yaml:"certificate" path:"local"`
	// PEM file with the private key, readable by this program's user only.
	Key string `yaml:"key" path:"local"`
}

// Log says what is logged, and how.
type Log struct {
	// Least level that is written. Default info.
	Level string `yaml:"level" jsonschema:"enum=debug,enum=info,enum=warn,enum=error"`
	// Lines for people (text) or one JSON object a line (json). Default text.
	Format string `yaml:"format" jsonschema:"enum=text,enum=json"`
}

// Doors holds the settings of the receivers.
type Doors struct {
	// The receiver of FinOps business events, POST /in/finops/ENVIRONMENT.
	FinOps Door `yaml:"finops"`
}

// Door holds the settings of one receiver.
type Door struct {
	// Keys a sender may use; all are valid at once, so that one can be replaced while senders still use the other. Each is text, usually ${NAME}, or {file: path}. Without any key one is generated in the state folder.
	Keys []Secret `yaml:"keys"`
	// File with more keys, one a line. Empty lines and lines starting with # are skipped.
	KeysFile string `yaml:"keys_file" path:"local"`
	// Largest body that is accepted, from 1KiB to 64MiB. Default 1MiB.
	MaxBody Bytes `yaml:"max_body"`
	// Names of the event's fields, for shops with an event class of their own. Letter case does not matter. A field inside an object is named by its path, File.Url. A list given here replaces the default list.
	Fields Fields `yaml:"fields"`
}

// Fields lists for each field of a business event the keys under which it may
// arrive; the first one present wins.
type Fields struct {
	// The link to the exported file; finrelay inspect names the field that looks like it. Default DownloadURL.
	DownloadURL []string `yaml:"download_url"`
	// The entity's label. Default EntityName.
	EntityName []string `yaml:"entity_name"`
	// The company that was exported. Default LegalEntity, BusinessEventLegalEntity.
	LegalEntity []string `yaml:"legal_entity"`
	// Identity of the event. Default EventId.
	EventID []string `yaml:"event_id"`
	// Class of the event. Default BusinessEventId.
	BusinessEventID []string `yaml:"business_event_id"`
	// Sequence of the event, a 64-bit number. Default ControlNumber.
	ControlNumber []string `yaml:"control_number"`
	// Row of the exported file's record, a 64-bit number. Default RecId.
	RecID []string `yaml:"rec_id"`
	// Time of the event, as /Date(ms)/, ISO 8601 or milliseconds. Default EventTime.
	EventTime []string `yaml:"event_time"`
	// Time of the event in the same forms, preferred over event_time. Default EventTimeIso8601.
	EventTimeISO []string `yaml:"event_time_iso"`
	// Number of rows FinOps says the file has. Default NoOfRecords.
	NoOfRecords []string `yaml:"no_of_records"`
	// Run of the data project: it turns an expired link into a fresh one. Default ExecutionId, DMFExecutionId.
	ExecutionID []string `yaml:"execution_id"`
	// Data project. Default DefinitionGroup, DMFDefinitionGroup, DefinitionGroupId.
	DefinitionGroup []string `yaml:"definition_group"`
}

// Environment is one FinOps instance.
type Environment struct {
	// Keys for this environment only; they replace the door's keys.
	Keys []Secret `yaml:"keys"`
	// File with more keys for this environment, one a line.
	KeysFile string `yaml:"keys_file" path:"local"`
	// Hosts that download links may point to: a host name, with :PORT if it is not 443, or a suffix that starts with a dot. Default is every Azure Blob account; name your own.
	LinkHosts []string `yaml:"link_hosts"`
	// Those of link_hosts that are not Azure's storage, an on-premises file server for example, written in the same way. Everywhere else an answer without the storage's own headers is taken for a proxy's and not for the file. Default none.
	PlainHosts []string `yaml:"plain_hosts"`
	// Allows http links to this machine, for the simulator and for tests. Default false.
	LoopbackLinks bool `yaml:"loopback_links"`
	// HTTP proxy for this environment's downloads, http://HOST:PORT. Through a proxy only the host name of a link can be checked, not the address it leads to.
	Proxy ProxyURL `yaml:"proxy"`
	// PEM file with certificates to trust besides the system's, for a proxy that opens TLS.
	CAFile string `yaml:"ca_file" path:"local"`
	// Address of FinOps itself, https://NAME.operations.dynamics.com. Needed for queues; events alone do without.
	URL Address `yaml:"url"`
	// FinOps runs on-premises: paths gain /namespaces/AXSF. It has no queues. Default false.
	OnPremises bool `yaml:"on_premises"`
	// How finrelay signs in to FinOps.
	SignIn SignIn `yaml:"sign_in"`
	// Most downloads at once for this environment; 0 is no limit besides workers.fetch. Default 0.
	Fetchers int `yaml:"fetchers"`
	// What a queue's download brings and nothing is known of, or a damaged file, is taken for the export when the same bytes come again at least so much later; until then FinOps keeps its message. From 1s to 24h. Default 10m.
	ProofAfter Duration `yaml:"proof_after"`
}

// SignIn is the application that finrelay signs in as. It is registered in
// Entra and listed in FinOps, and on each recurring data job that is polled.
type SignIn struct {
	// secret, certificate, managed-identity or workload-identity with Entra; v1 is a secret on Entra's older endpoint; adfs is a secret on-premises. Default secret.
	Method string `yaml:"method" jsonschema:"enum=secret,enum=certificate,enum=managed-identity,enum=workload-identity,enum=v1,enum=adfs"`
	// Entra tenant: id or domain, not common or organizations.
	Tenant string `yaml:"tenant"`
	// Application (client) id.
	ClientID string `yaml:"client_id"`
	// Client secret: usually ${NAME}, or {file: path}.
	Secret Secret `yaml:"secret"`
	// PEM or PFX file with certificate and private key.
	Certificate string `yaml:"certificate" path:"local"`
	// Password of the certificate file.
	CertificatePassword Secret `yaml:"certificate_password"`
	// Host that issues tokens, for sovereign clouds and AD FS. Default https://login.microsoftonline.com.
	Authority Address `yaml:"authority"`
}

// Queue is a recurring data job of FinOps whose messages a flow polls.
type Queue struct {
	// Environment of the job, which needs url and sign_in.
	Environment string `yaml:"environment"`
	// ID of the job, shown in FinOps under Manage scheduled data jobs; with or without braces.
	Activity string `yaml:"activity"`
	// When to poll, in cron's five fields or @every 10m. Default every 10 minutes, every 30 minutes with with_events.
	Schedule string `yaml:"schedule"`
	// Time zone of the schedule, for example Europe/Berlin. Default UTC.
	Zone string `yaml:"zone"`
	// What to do with messages that were in the queue before finrelay: land them, or park them on the list. Without it the first poll of a queue that is not empty asks.
	Backlog string `yaml:"backlog" jsonschema:"enum=ask,enum=land,enum=park"`
	// The same exports are announced by events too. The queue is drained all the same, so that no old increments pile up in it, and FinOps is asked which run each message is of: what came by event is not landed again. Default false.
	WithEvents bool `yaml:"with_events"`
}

// Project is a data project of FinOps that a flow's rows come from, and that
// finrelay may have FinOps run through its package API.
type Project struct {
	// Environment of the project, which needs url and sign_in.
	Environment string `yaml:"environment"`
	// Name of the data project in FinOps.
	Name string `yaml:"name"`
	// Companies to run it for, one after the other. Default FinOps' own choice.
	LegalEntities []string `yaml:"legal_entities"`
	// When to run it, in cron's five fields or @every 6h. Without it finrelay runs it only when asked.
	Schedule string `yaml:"schedule"`
	// Time zone of the schedule, for example Europe/Berlin. Default UTC.
	Zone string `yaml:"zone"`
	// What to do with a run that only partly succeeded: land what there is, or park it on the list. Default park for refresh: incremental, land for refresh: full.
	OnPartial string `yaml:"on_partial" jsonschema:"enum=land,enum=park"`
	// How long a run may take before it is called stuck; the project's other runs wait until a person lets go of it. At least 10m. Default 6h.
	MaxAge Duration `yaml:"max_age"`
	// Starts a full run when rows were lost because a link died and no other way led to them. Only for refresh: full: a run of an incremental project brings other rows. Default false.
	RunWhenLost bool `yaml:"run_when_lost"`
}

// Cadence is how often a flow's exports are expected. When none comes in time
// the queue is drained and FinOps' history read before the flow is called late.
type Cadence struct {
	// How often, on which days, at which hours, for example 2h, Mon-Fri 06-20. Units are m, h, d and w; time stands still while the calendar is closed, and a day is as long as it is open.
	Every string `yaml:"every"`
	// Time zone of the calendar, for example Europe/Berlin. Default UTC.
	Zone string `yaml:"zone"`
	// How long after it is due before anything is said, at least 1m. Default 30m.
	Grace Duration `yaml:"grace"`
}

// Flow takes exports and says how they are read and where their rows go. An
// empty criterion matches everything; all criteria given must match, where
// entities and target_entities are two names for one thing, so either is enough.
// What came for a flow, from its own queue or data project, is offered to that
// flow before the others.
type Flow struct {
	// Name of the flow, shown in lists and used as {flow} in paths.
	Name string `yaml:"name" jsonschema:"required"`
	// Entity labels, with * and ? as wildcards. Letter case does not matter.
	Entities []string `yaml:"entities"`
	// Target entity names from the package manifest, with the same wildcards.
	TargetEntities []string `yaml:"target_entities"`
	// Companies, for example usmf. Letter case does not matter. A queue's message names none: a flow with exactly one, and no wildcard, gives it to what its own queue brings.
	LegalEntities []string `yaml:"legal_entities"`
	// Environments by name.
	Environments []string `yaml:"environments"`
	// Ways that an export may come: by event, by queue, or as the package of a run that finrelay asked for or found. One, or a list.
	Source Ways `yaml:"source"`
	// Queues that an export may come from: activity IDs, with or without braces, or names of the flows that poll them.
	Queues []string `yaml:"queues"`
	// Data projects, with the same wildcards. A package tells its project, a queue's file that is none does not, an event if its class does.
	Projects []string `yaml:"projects"`
	// Condition on the event in jq, for example .NoOfRecords > 0. The flow matches when its first result is neither false nor null.
	When string `yaml:"when"`
	// Whether the data project exports changes or all rows each time. It decides what is said about rows that never arrived: the next full export carries them again, the next incremental one does not. Default incremental.
	Refresh string `yaml:"refresh" jsonschema:"enum=incremental,enum=full"`
	// What to do with an export when one of the same entity came another way, by event or by queue, within 45 minutes: land both and show the pair, or hold the later one on the list. Default land.
	OnPossibleDuplicate string `yaml:"on_possible_duplicate" jsonschema:"enum=land,enum=hold"`
	// Queue that is polled for this flow. Its exports go to this flow first, whatever stands before it, if the flow's criteria take them.
	Queue Queue `yaml:"queue"`
	// Data project that the rows come from, for finrelay to run by a schedule or when asked. Its exports go to this flow first, if its criteria take them and no other flow names the project, or none for the same companies.
	Project Project `yaml:"project"`
	// How often exports are expected; without it silence is not noticed.
	Cadence Cadence `yaml:"cadence"`
	// How the data files are read.
	Read Read `yaml:"read"`
	// What becomes of single columns. Columns not named here stay as they are, and without this section every value is the text it is in the file.
	Columns []Column `yaml:"columns"`
	// Members that every row gets behind its own.
	Constants []Constant `yaml:"constants"`
	// jq program that gets each row, with the types, names and constants above; each object it gives is a row, and a row for which it gives nothing is left out. It has two seconds a row.
	Transform string `yaml:"transform"`
	// What to do with a value that does not fit its column's type: make its row a bad row (park), keep it as the text it is, or make it null. Default park.
	OnTypeError Word `yaml:"on_type_error" jsonschema:"enum=park,enum=keep,enum=null"`
	// Outputs the rows go to, by name. Default all.
	Outputs []string `yaml:"outputs"`
	// What to do with a file that holds rows that cannot be read: park it with nothing visible, or land the good rows and set the bad ones aside. Default park.
	OnBadRows string `yaml:"on_bad_rows" jsonschema:"enum=park,enum=land"`
	// What to do when the number of rows is not the one the event states. Default warn.
	OnRowMismatch string `yaml:"on_row_mismatch" jsonschema:"enum=warn,enum=park"`
	// What to do with an export of no rows: land an empty file with its manifest, omit the file and count it as landed, or park it. Default land.
	OnZeroRows string `yaml:"on_zero_rows" jsonschema:"enum=land,enum=omit,enum=park"`
}

// Read says how a flow's data files are read.
type Read struct {
	// Format of the data files; auto looks at their content, xml finds out which of the two forms it is, json is an array, an object with an array, or JSON Lines, xlsx is a workbook. Default auto.
	Format string `yaml:"format" jsonschema:"enum=auto,enum=csv,enum=xml,enum=xml-element,enum=xml-attribute,enum=json,enum=xlsx"`
	// Sheet of a workbook that holds the rows, letter case ignored. Default is the only visible sheet, else the one named after the entity.
	Sheet string `yaml:"sheet"`
	// Character between CSV fields, any but a line end; auto finds comma, semicolon, tab, pipe, or colon where none of these is. One that cannot be typed is written as its code, U+001F or \u001f; a tab also as tab. Default auto.
	Delimiter string `yaml:"delimiter"`
	// Character around CSV fields, any but a line end and the delimiter, written in the same way, or none. Default a double quote.
	Quote string `yaml:"quote"`
	// Whether the first CSV record, or the first row of a sheet, names the columns. Default true.
	Header bool `yaml:"header"`
	// Names of the columns, for files without a header. Default COLUMN1, COLUMN2 and so on.
	Columns []string `yaml:"columns"`
	// Elements of composite entities' XML that are always arrays, also in files that hold none: a name for children of the row, a path as in LINE/CHARGE for those further down. Elements with content of their own need no declaration: a file that holds one has it as an array in all rows. Texts that may repeat do.
	Children []string `yaml:"children"`
	// Encoding of text files, for example windows-1252; auto goes by byte order mark, then UTF-8 if it fits, then fallback_encoding. Default auto.
	Encoding string `yaml:"encoding"`
	// Encoding that auto takes for a file without byte order mark that is not UTF-8. Default windows-1252.
	FallbackEncoding string `yaml:"fallback_encoding"`
	// Whether a CSV record with stray quotes (5" pipe, text after a closing quote) is a bad row; else it is kept as it stands and noted. Default false.
	Strict bool `yaml:"strict"`
	// What to do with bytes that the encoding does not know: reject makes a bad row of the record, or refuses XML, with its place; replace puts U+FFFD in their place and notes how many. Default reject.
	Undecodable string `yaml:"undecodable" jsonschema:"enum=reject,enum=replace"`
}

// Column says what becomes of one column of a flow's files.
type Column struct {
	// Name of the column as the file has it; letter case matters.
	Name string `yaml:"name" jsonschema:"required"`
	// What its texts stand for; empty ones are null in all types but string. Default string.
	Type string `yaml:"type" jsonschema:"enum=string,enum=integer,enum=decimal,enum=boolean,enum=date,enum=time"`
	// Its name in the rows. Default the file's.
	Rename string `yaml:"rename"`
	// Whether it is left out. Default false.
	Drop bool `yaml:"drop"`
	// Whether it is left out of rows where it is empty or null. Default false.
	OmitEmpty bool `yaml:"omit_empty"`
	// How the file writes it: of dates and times yyyy, MM, M, dd, d, HH, H, hh, h, mm, m, ss, s, tt and zzz, other letters in single quotes; of numbers one of 1234.56, 1,234.56, 1234,56, 1.234,56 and 1 234,56. Default ISO 8601 and 1234.56.
	Format string `yaml:"format"`
	// Time zone of a time that names none, and of all times as they are written, for example Europe/Berlin. Default UTC.
	Zone string `yaml:"zone"`
}

// Constant is a member that every row of a flow gets.
type Constant struct {
	// Its name in the rows.
	Name string `yaml:"name" jsonschema:"required"`
	// Its value.
	Value string `yaml:"value"`
	// What the value is. Default string.
	Type string `yaml:"type" jsonschema:"enum=string,enum=integer,enum=decimal,enum=boolean"`
}

// Output is a place that rows go to.
type Output struct {
	// Kind of output. Default files.
	Type string `yaml:"type" jsonschema:"enum=files"`
	// Folder the files are written below. The first landing makes it and leaves a marker in it, .finrelay-output-NAME; without that nothing is written there later, because its disk may not be mounted.
	Folder string `yaml:"folder" path:"local" jsonschema:"required"`
	// Name of each file below the folder; {export_id} keeps two exports apart. Default {environment}/{entity}/{legal_entity}/{yyyy}/{mm}/{dd}/{export_id} and the format as extension. Times are the event's, in UTC; of a queue's message, when it was first taken.
	Path string `yaml:"path"`
	// One JSON object a line (jsonl) or one JSON array (json). Default jsonl.
	Format string `yaml:"format" jsonschema:"enum=jsonl,enum=json"`
	// Wraps each row in an object with entity, legal entity and order key. Default false.
	Envelope bool `yaml:"envelope"`
}

// Workers limits concurrency.
type Workers struct {
	// Downloads at once, over all environments. Default 8.
	Fetch int `yaml:"fetch"`
	// Exports converted and delivered at once; 0 is one for each processor core. Default 0.
	Deliver int `yaml:"deliver"`
}

// Retention says how long things are kept.
type Retention struct {
	// How long identities are remembered, so that a repeated event is still known as a duplicate. Default 400d.
	Identities Duration `yaml:"identities"`
	// How long a raw file stays after the last thing that needs it. Default 14d.
	RawFiles Duration `yaml:"raw_files"`
}

// Shutdown says how the program ends.
type Shutdown struct {
	// How long work in flight may take to finish after the first signal. Default 25s.
	Grace Duration `yaml:"grace"`
}
