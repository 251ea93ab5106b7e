package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) environment() *cobra.Command {
	c := group(&cobra.Command{Use: "environment", Short: "What concerns a whole FinOps instance"})
	c.AddCommand(&cobra.Command{
		Use:   "reset ENVIRONMENT",
		Short: "Start a new epoch after a database refresh",
		Long: `After a FinOps database was restored or refreshed, its event ids and counters may
repeat for different exports. reset starts a new epoch: what was seen before does
not make a duplicate any more. Nothing that is stored or landed is touched.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c.Context(), func(s *session) error {
				e, err := s.ResetEnvironment(c.Context(), args[0], "")
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(a.stdout, "%s is in epoch %d\n", e.Environment, e.Epoch)
				return err
			})
		},
	})
	return c
}
