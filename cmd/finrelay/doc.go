// Command finrelay makes sure that every file Dynamics 365 Finance &
// Operations exports lands once, complete, as JSON, before its link dies, or
// stands on a list with a reason.
//
// main.go holds signals and nothing else, app.go the flags that all commands
// share and the exit codes, and each subcommand has a file of its own name.
// build.go turns the configuration into what package flows works by;
// connect.go finds the running server, or opens the ledger when there is none.
package main
