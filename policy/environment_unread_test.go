package policy

import "testing"

func TestUnreadVariablesAreToldWhereOneIsMeant(t *testing.T) {
	got := Unread(map[string]string{
		"PYSANDBOX_POLICY": "p.toml", "PYSANDBOX_BINARY": "/b", // read
		"PYSANDBOX_POLCY": "p.toml", "PYSANDBOX_BIN": "/b", "PYSANDBOX_python": "3.11",
		"PYSANDBOX_TIMEOUT": "10s", "PYSANDBOX_DENY_NET": "private",
		"PYSANDBOX_PRESETT": "", // counts as absent
		"PYSANDBOX_HOME":    "/h", "PYSANDBOX_PATH": "/p", "PYSANDBOX_ALLOW_NET": "any", "PYSANDBOX_": "x", "POLCY": "x",
	})
	same(t, "warnings", got, []string{
		"PYSANDBOX_BIN is not read; did you mean PYSANDBOX_BINARY?",
		"PYSANDBOX_DENY_NET is not read; --deny-net on the command line sets that",
		"PYSANDBOX_POLCY is not read; did you mean PYSANDBOX_POLICY?",
		"PYSANDBOX_TIMEOUT is not read; --timeout on the command line sets that",
		"PYSANDBOX_python is not read; did you mean PYSANDBOX_PYTHON?",
	})
	same(t, "without any", Unread(nil), []string(nil))
}
