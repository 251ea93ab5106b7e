// Package tree runs commands, alone or connected by pipes, and measures what
// the whole tree of their processes costs: wall time, CPU time, memory.
//
// CPU time is what the kernel says of each command when it has ended, and of
// those it waited for. Memory is sampled every few milliseconds over all
// processes that live then, and the highest sum is kept: a pipeline's parts
// need theirs at the same time. The rusage that a process leaves behind is no
// help here, since its ru_maxrss begins with the memory of the process that
// started it.
//
// Linux only, as it reads /proc.
package tree
