package sim_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"finrelay/dmf/sim"
)

const twoThings = `projects:
  - name: P
    entities:
      - label: Customer groups
activities:
  - id: 3F2504E0-4F89-41D3-9A0C-0305E82C3301
`

// Each mistake is told with its place.
func TestScenarioMistakes(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"not YAML", "about: [", "line 1, column "},
		{"field that does not exist", "abuot: x\n", `line 1, column 1: unknown field "abuot"`},
		{"deep field", twoThings + "timeline:\n  - project: P\n    evry: 1m\n", `line 9, column 5: unknown field "evry"`},
		{"key twice", "seed: 1\nseed: 2\n", "line 2, column 1: "},
		{"no duration", "link_life: soon\n", "line 1, column 12: "},
		{"negative duration", "link_life: -1s\n", "line 1, column 12: link_life: -1s is negative"},
		{"no number", "seed: one\n", "line 1, column 7: "},
		{"two documents", "seed: 1\n---\nseed: 2\n", "line 2, column 1: a second YAML document"},
		{"unknown project", twoThings + "timeline:\n  - at: 1m\n    project: Q\n", `line 9, column 14: timeline[0].project: no project "Q" under projects`},
		{"unknown queue", twoThings + "timeline:\n  - project: P\n    queue: x\n", `line 9, column 12: timeline[0].queue: no activity "x" under activities`},
		{"unknown route", "faults:\n  - status: 500\n    route: qeue\n", `line 3, column 12: faults[0].route: "qeue" is not known; one of [ack action blob`},
		{"nothing goes wrong", "faults:\n  - {route: ack, times: 2}\n", "line 2, column 6: faults[0]: nothing goes wrong"},
		{"window", "faults:\n  - {status: 500, from: 2m, until: 1m}\n", "line 2, column 36: faults[0].until: 1m0s is not after from (2m0s)"},
		{"status", "faults:\n  - {status: 1000}\n", "line 2, column 14: faults[0].status: 1000 is no HTTP status"},
		{"fault's times", "faults:\n  - {status: 500, times: -2}\n", "faults[0].times: -2; give a count, or -1 for always"},
		{"nothing happens", "timeline:\n  - at: 1m\n", "line 2, column 5: timeline[0]: nothing happens"},
		{"without end and pause", twoThings + "timeline:\n  - {project: P, times: -1}\n", "timeline[0].times: -1; give a count"},
		{"no project", twoThings + "timeline:\n  - {revoke_tokens: true, event: true}\n", "timeline[0]: an export needs a project"},
		{"no file, but an event", twoThings + "timeline:\n  - {project: P, event: true, no_file: true}\n", "timeline[0].no_file: only a queue's message"},
		{"rows that go", twoThings + "timeline:\n  - {project: P, grow: -1}\n", "timeline[0].grow: -1 is negative"},
		{"style", twoThings + "timeline:\n  - {project: P, event: true, style: new}\n", `timeline[0].style: "new" is not known; one of [2019 2020 escaped]`},
		{"padded package", twoThings + "timeline:\n  - {project: P, pad: 100}\n", "timeline[0].pad: 100; only bare files"},
		{"rotation", "timeline:\n  - rotate_secret: {client_id: x}\n", "timeline[0].rotate_secret: needs client_id and secret"},
		{"no name", "projects:\n  - entities: [{label: x}]\n", "line 2, column 5: projects[0].name: missing"},
		{"name twice", "projects:\n  - {name: P, entities: [{label: x}]}\n  - {name: p, entities: [{label: x}]}\n", `line 3, column 12: projects[1].name: "p" is there twice`},
		{"no entities", "projects: [{name: P}]\n", "projects[0].entities: missing"},
		{"no label", "projects: [{name: P, entities: [{rows: -1}]}]\n", "projects[0].entities[0].label: missing"},
		{"format", "projects: [{name: P, format: csv-utf7, entities: [{label: x}]}]\n", `line 1, column 30: projects[0].format: format "csv-utf7" is not known`},
		{"script", "projects:\n  - name: P\n    entities: [{label: x}]\n    executions:\n      - statuses: [Executing, Done]\n", `line 5, column 31: projects[0].executions[0].statuses[1]: status "Done" is not known`},
		{"activity's id", "activities:\n  - location: http\n", "line 2, column 5: activities[0].id: missing"},
		{"activity twice", "activities:\n  - id: ab\n  - id: \"{AB}\"\n", `line 3, column 9: activities[1].id: "{AB}" is there twice`},
		{"location", "activities:\n  - {id: a, location: ftp}\n", `activities[0].location: "ftp" is not known; one of [http http:80 https base]`},
		{"queue on-premises", "sign_in: {on_premises: true}\nactivities: [{id: a}]\n", "activities[0]: there is no queue API on-premises"},
		{"app", "sign_in:\n  apps:\n    - secret: hidden\n", "line 3, column 7: sign_in.apps[0].client_id: missing"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := sim.LoadScenario([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want %s", err, c.want)
			}
			if e, ok := errors.AsType[*sim.ScenarioError](err); !ok || e.Line == 0 || e.Column == 0 {
				t.Errorf("not placed: %#v", err)
			}
			if strings.Contains(err.Error(), "hidden") {
				t.Error("the message holds a secret")
			}
		})
	}
}

// All mistakes of meaning come at once.
func TestScenarioMistakesTogether(t *testing.T) {
	_, err := sim.LoadScenario([]byte("faults: [{route: x}, {status: 9}]\ntimeline: [{project: Q}]\n"))
	if err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("got %v; want four lines", err)
	}
}

func TestEmptyScenario(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "about: nothing\n"} {
		if _, err := sim.LoadScenario([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzLoadScenario(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("..", "..", "testdata", "scenarios", "*.yaml"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, text := range []string{twoThings, "faults: [{status: 9}]", "a: &x [*x]", "--- \n---", "clock: 2026-03-02T06:00:00Z"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sc, err := sim.LoadScenario(data)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error without a word")
			}
			return
		}
		// What loads can be set up.
		s := sim.New(sc.Options(sim.Options{Clock: sim.NewClock(morning)}))
		s.Setup(sc)
	})
}
