package main

import (
	"errors"

	"github.com/spf13/cobra"
)

// demo shows the whole road with a FinOps of its own.
func (a *app) demo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show exports land, with a simulated FinOps on this machine",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return errors.New("demo: not built in yet") },
	}
}
