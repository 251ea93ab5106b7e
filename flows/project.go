package flows

import (
	"time"

	"github.com/robfig/cron/v3"

	"finrelay/dmf"
)

// Project is a data project of FinOps that a flow's rows come from, and that
// finrelay may have FinOps run.
type Project struct {
	Flow          string
	Environment   string
	Name          dmf.DefinitionGroup
	LegalEntities []string      // one run for each, in turn; none: FinOps' own choice
	Schedule      cron.Schedule // nil: only when a person asks
	MaxAge        time.Duration // then a run is called stuck; 0: MaxExecutionAge
	LandPartial   bool          // a run that only partly succeeded lands; else it is parked
	// RunWhenLost lets finrelay start a full run when rows were lost. It has an
	// effect only where the flow is declared a full refresh: a run of an
	// incremental project brings other rows.
	RunWhenLost bool
}
