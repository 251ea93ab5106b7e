package flows

import "strings"

// SameTrouble says whether two things need the same: their rows are in the same
// place, and but for their names the advice is the same.
func (w Whereabouts) SameTrouble(v Whereabouts) bool { return w.Place == v.Place && w.form == v.form }

// ForAll is the advice for several things in the same trouble. Found are the
// flags by which rerun and skip find these and no others; with "" the advice
// is for the first of them alone.
func (w Whereabouts) ForAll(found, first string) string {
	commands := []string{"ENTITY-LABEL", "each entity named here"}
	for _, id := range []string{"EVENT-ID", "SHIPMENT-ID", "EXPORT-ID", "EXECUTION-ID"} {
		if found != "" {
			commands = append(commands, "finrelay rerun "+id, "finrelay rerun "+found, "finrelay skip "+id, "finrelay skip "+found)
		}
		commands = append(commands, id, first)
	}
	return strings.NewReplacer(commands...).Replace(w.form)
}

// Skips says whether the advice offers to take a thing off the list.
func (w Whereabouts) Skips() bool { return strings.Contains(w.form, "finrelay skip ") }
