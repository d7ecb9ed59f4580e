package seccomp

// Static returns the filter for where no supervisor can be asked: what it would
// decide is refused. The exceptions are execve and execveat, without which the
// program itself could not start; mounts and Landlock decide what they may run.
func (s *FilterSpec) Static() FilterSpec {
	static := *s
	static.Rules = make([]Rule, 0, len(s.Rules))
	for _, rule := range s.Rules {
		switch {
		case rule.Action == ActNotify && (rule.Syscall == "execve" || rule.Syscall == "execveat"):
			rule.Action = ActAllow
		case rule.Action == ActNotify, rule.Action == ActExplain:
			rule.Action = ActErrno
		}
		static.Rules = append(static.Rules, rule)
	}
	if static.Refused == ActNotify || static.Refused == ActExplain {
		static.Refused = ActErrno
	}
	return static
}
