package sim

import (
	"net/http"
	"slices"
	"strings"
)

// historySet is the entity set of executions, a row an entity.
const historySet = "DataManagementExecutionJobDetails"

// serveSet answers the entity sets that describe projects and their runs.
func (s *Sim) serveSet(w http.ResponseWriter, r *http.Request, c *call) {
	if !s.signIn(w, r, nil) {
		return
	}
	if r.Method != http.MethodGet {
		s.writeODataError(w, &odataError{status: http.StatusMethodNotAllowed, text: "The simulator's entity sets are read-only."})
		return
	}
	var rows []map[string]any
	switch c.action {
	case historySet:
		rows = s.history()
	case "DataManagementDefinitionGroups":
		rows = s.projectRows()
	case "DataManagementDefinitionGroupDetails":
		rows = s.projectDetailRows()
	default:
		s.writeODataError(w, &odataError{status: http.StatusNotFound, text: "No HTTP resource was found that matches the request URI."})
		return
	}
	s.writeSet(w, r, c.action, rows)
}

// history lists all executions whose record exists, a row an entity, in the
// order of the starts.
//
// Source: published metadata of the set for the names of fields. Assumed: an
// export counts its rows as records created.
func (s *Sim) history() []map[string]any {
	now := s.clock.Now()
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	var rows []map[string]any
	for _, e := range s.packages.order {
		if status, _ := e.at(now); status == StatusNotFound {
			continue
		}
		for i, t := range e.tables {
			status := e.entityStatus(now, i)
			created := 0
			if status == "Finished" {
				created = len(t.Rows)
			}
			rows = append(rows, map[string]any{
				"JobId":                            e.id,
				"DefinitionGroupId":                e.project.Name,
				"EntityName":                       t.Label,
				"ExecutionUnit":                    1,
				"LevelInExecutionUnit":             1,
				"SequenceInLevel":                  i + 1,
				"SourceFormat":                     e.project.Format.SourceFormat(),
				"StagingStatus":                    status,
				"TargetStatus":                     status,
				"StagingStartDateTime":             odataTime(e.started),
				"StagingEndDateTime":               odataTime(e.ended),
				"TargetStartDateTime":              odataTime(e.started),
				"TargetEndDateTime":                odataTime(e.ended),
				"StagingRecordsToBeProcessedCount": len(t.Rows),
				"StagingRecordsCreatedCount":       created,
				"TargetRecordsCreatedCount":        created,
				"TargetRecordsUpdatedCount":        0,
			})
		}
	}
	return rows
}

// projectRows lists the data projects by name.
// Source: published metadata of DataManagementDefinitionGroups.
func (s *Sim) projectRows() []map[string]any {
	var rows []map[string]any
	for _, p := range s.packages.sorted() {
		rows = append(rows, map[string]any{
			"Name":                p.Name,
			"Description":         p.Name,
			"OperationType":       "Export",
			"ProjectCategory":     "Integration",
			"GenerateDataPackage": "Yes",
		})
	}
	return rows
}

// projectDetailRows lists the projects' entities.
// Assumed: the spelling of the incremental refresh type.
func (s *Sim) projectDetailRows() []map[string]any {
	var rows []map[string]any
	for _, p := range s.packages.sorted() {
		refresh := "FullPush"
		if p.Incremental {
			refresh = "Incremental"
		}
		for i, e := range p.Entities {
			rows = append(rows, map[string]any{
				"DefinitionGroupId":    p.Name,
				"EntityName":           e.Label,
				"SourceFormat":         p.Format.SourceFormat(),
				"ExecutionUnit":        1,
				"LevelInExecutionUnit": 1,
				"SequenceInLevel":      i + 1,
				"DefaultRefreshType":   refresh,
			})
		}
	}
	return rows
}

func (p *packages) sorted() []Project {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []Project
	for _, pr := range p.projects {
		all = append(all, pr.Project)
	}
	slices.SortFunc(all, func(a, b Project) int { return strings.Compare(a.Name, b.Name) })
	return all
}
