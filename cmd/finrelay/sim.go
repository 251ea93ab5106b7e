package main

import (
	"errors"

	"github.com/spf13/cobra"
)

// sim runs the simulated FinOps alone.
func (a *app) sim() *cobra.Command {
	return &cobra.Command{
		Use:   "sim",
		Short: "Run the simulated FinOps alone, to try things against",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return errors.New("sim: not built in yet") },
	}
}
