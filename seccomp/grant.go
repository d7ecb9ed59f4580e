package seccomp

import "sync"

// allLayers are the layers, made at their first use.
var allLayers = sync.OnceValue(layers)

// Grantable reports whether naming the call to WithSyscalls would let this use of
// it through, where the filter refuses it. It would not for a call that is never
// available, nor for arguments that its layers refuse.
func (s *FilterSpec) Grantable(d Data) bool {
	name := Name(d.Number)
	if _, never := neverReason(name); name == "" || never || d.Arch != ArchX86_64 {
		return false
	}
	if now, _ := s.Ruling(d); now.Action == ActAllow || now.Action == ActNotify {
		return false
	}
	alone := FilterSpec{Rules: rulesOf(allLayers(), name), Refused: s.Refused, RefusedErrno: s.RefusedErrno}
	if len(alone.Rules) == 0 {
		return true // a call of no layer is granted as a whole
	}
	then, _ := alone.Ruling(d)
	return then.Action == ActAllow || then.Action == ActNotify
}

// Static returns the filter for where no supervisor can be asked: what it would
// decide is refused. The exceptions are execve and execveat, without which the
// program itself could not start; mounts and Landlock decide what they may run.
func (s *FilterSpec) Static() FilterSpec {
	static := *s
	static.Rules = make([]Rule, 0, len(s.Rules))
	for _, rule := range s.Rules {
		switch {
		case rule.Action == ActExplain:
			rule.Action = ActErrno
		case rule.Action == ActNotify && (rule.Syscall == "execve" || rule.Syscall == "execveat"):
			rule.Action = ActAllow
		case rule.Action == ActNotify:
			rule.Action = ActErrno
		}
		static.Rules = append(static.Rules, rule)
	}
	if static.Refused == ActExplain {
		static.Refused = ActErrno
	}
	return static
}
