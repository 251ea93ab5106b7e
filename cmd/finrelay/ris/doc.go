// Package ris reads the Schedule.xml of Microsoft's Recurring Integrations
// Scheduler and writes a finrelay configuration that polls the same queues and
// runs the same data projects.
//
// Schedule.xml is Quartz.NET's job-scheduling-data. A job has a type and a map
// of settings; a trigger names its job and says when it runs. Download jobs
// become flows with a queue, export jobs flows with a data project, the
// environments they speak to become environments, their folders become outputs.
// Everything else, and everything that cannot be said exactly, becomes a note
// for a person. A queue that is polled too often costs nothing; a data project
// that is run too often does, so it gets no schedule rather than a denser one.
//
// Nothing of the file's secrets is copied or shown: the scheduler encrypts
// them for the Windows machine it runs on, so they are worth nothing here.
package ris
