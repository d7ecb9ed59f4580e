package seccomp

// Grantable reports whether naming the call to WithSyscalls would let this use of
// it through, where the filter refuses it. It would not for a call that is never
// available, nor for arguments that its layers refuse.
func (s *FilterSpec) Grantable(d Data) bool {
	name := Name(d.Number)
	now, _ := s.Ruling(d)
	if name == "" || now.Action == ActKill || now.passes() {
		return false
	}
	rules, err := granted(name)
	if err != nil {
		return false
	}
	alone := FilterSpec{Rules: rules, Refused: s.Refused, RefusedErrno: s.RefusedErrno}
	then, _ := alone.Ruling(d)
	return then.passes()
}

// passes reports whether a call may happen: by itself or by the supervisor.
func (r Ruling) passes() bool { return r.Action == ActAllow || r.Action == ActNotify }
