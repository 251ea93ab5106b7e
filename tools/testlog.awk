# testlog.awk reads `go test -v ./...` and prints what a person wants of it:
# go test's own closing line for each package, the whole log of a package that
# failed, and at the end every skipped test with its reason. Plain go test hides
# skips, and a suite that quietly skips its crash tests is worse than a red one.

function forget() { lines = 0; delete reason; current = "" }

/^=== (RUN|NAME|CONT|PAUSE) / { current = $3; next }

# A log line of the test that is running; the last one before SKIP is the reason.
/^    +[A-Za-z0-9_.-]+\.go:[0-9]+: / { reason[current] = $0 }

/^ *--- PASS: / { next }

/^ *--- SKIP: / {
    why = reason[$3]
    sub(/^ +/, "", why)
    skipped[++skips] = $3 "  " why
}

/^(ok  |\?   )\t/ { print; fflush(); forget(); next }

/^FAIL\t/ {
    for (i = 1; i <= lines; i++) print buffer[i]
    print
    fflush()
    forget()
    next
}

/^PASS$/ { next }

{ buffer[++lines] = $0 }

END {
    for (i = 1; i <= lines; i++) print buffer[i]
    if (skips) {
        printf "\nSKIPPED %d tests: this run proves less than a full one\n", skips
        for (i = 1; i <= skips; i++) print "  " skipped[i]
    }
}
