package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"finrelay/cmd/finrelay/config"
	"finrelay/state"
)

func (a *app) config() *cobra.Command {
	c := group(&cobra.Command{Use: "config", Short: "Check, show or describe the configuration"})
	c.AddCommand(a.configLint(), a.configShow(), a.configSchema(), a.configSample())
	return c
}

func (a *app) configLint() *cobra.Command {
	c := &cobra.Command{
		Use:   "lint",
		Short: "Check the configuration for what would lose, expose or overwrite data",
		Long: `lint reads the configuration as serve does and then looks further: path templates
that can collide, link hosts that are not pinned (with the hosts seen so far),
flows that an earlier one hides, criteria that nothing of a flow's own queue or data
project can meet, what is still to be filled in, addresses that cannot be right,
secrets that others can read. Exit 0 when nothing is refused, 2 when something is.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := a.lookAtFile()
			if err != nil {
				return err
			}
			hosts := a.hostsSeen(c.Context())
			findings := config.Lint(cfg, config.Facts{HostsSeen: hosts.Seen, HostsRefused: hosts.Refused})
			if findings == nil {
				findings = []config.Finding{}
			}
			if err := a.print(findings, func() error { return a.drawFindings(findings) }); err != nil {
				return err
			}
			for _, f := range findings {
				if f.Level == config.LevelError {
					return &codedError{code: exitUsage}
				}
			}
			return nil
		},
	}
	a.addOutput(c)
	return c
}

// hostsSeen asks the ledger if there is one; lint works without.
func (a *app) hostsSeen(ctx context.Context) (hosts state.Hosts) {
	_ = a.withLook(ctx, func(s *session) (err error) {
		hosts, err = s.Hosts(ctx)
		return err
	})
	return hosts
}

func (a *app) drawFindings(findings []config.Finding) error {
	if len(findings) == 0 {
		_, err := fmt.Fprintln(a.stdout, "nothing to say")
		return err
	}
	for _, f := range findings {
		place := f.Field
		if f.Line > 0 {
			place = fmt.Sprintf("line %d, %s", f.Line, f.Field)
		}
		fmt.Fprintf(a.stdout, "%s: %s: %s\n", f.Level, place, f.Message)
		if f.Hint != "" {
			fmt.Fprintf(a.stdout, "    %s\n", f.Hint)
		}
	}
	return nil
}

func (a *app) configShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show",
		Short: "Print the configuration in force, defaults filled in, secrets hidden",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := a.lookAtFile()
			if err != nil {
				return err
			}
			return cfg.Show(a.stdout)
		},
	}
}

func (a *app) configSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration, for editors",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			schema, err := config.Schema()
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(schema)
			return err
		},
	}
}

func (a *app) configSample() *cobra.Command {
	return &cobra.Command{
		Use:   "sample",
		Short: "Print a commented configuration to begin with",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(a.stdout, config.Sample())
			return err
		},
	}
}
