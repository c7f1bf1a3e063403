package engine

import (
	"os"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/runtime/queue/protocol"
)

// claimant is the name of this process in the rows that it claims: its host, or unknown, and its
// process id.
var claimant = func() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "unknown"
	}
	pid := ":" + strconv.Itoa(os.Getpid())
	runes := []rune(strings.ToValidUTF8(host, "?"))
	return string(runes[:min(len(runes), protocol.MaxClaimant-len(pid))]) + pid
}()
