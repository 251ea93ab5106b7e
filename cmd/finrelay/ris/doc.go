// Package ris reads the Schedule.xml of Microsoft's Recurring Integrations
// Scheduler and writes a finrelay configuration that polls the same queues.
//
// Schedule.xml is Quartz.NET's job-scheduling-data. A job has a type and a map
// of settings; a trigger names its job and says when it runs. Download jobs
// become flows with a queue, the environments they speak to become
// environments, their folders become outputs. Everything else, and everything
// that cannot be said exactly, becomes a note for a person.
//
// Nothing of the file's secrets is copied or shown: the scheduler encrypts
// them for the Windows machine it runs on, so they are worth nothing here.
package ris
