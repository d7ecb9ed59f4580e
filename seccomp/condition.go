package seccomp

// intMask covers the half of a register that the kernel reads of an int.
const intMask = 0xffffffff

// intIs is true when an argument that the kernel declares as int or unsigned int
// has the value; the upper half of the register does not count.
func intIs(arg uint8, value uint32) Condition {
	return Condition{Arg: arg, Op: CompareMaskedEqual, Mask: intMask, Value: uint64(value)}
}

// bitsAre is true when, of the bits in the mask, exactly those of the value are
// set.
func bitsAre(arg uint8, mask, value uint32) Condition {
	return Condition{Arg: arg, Op: CompareMaskedEqual, Mask: uint64(mask), Value: uint64(value)}
}

// noneOf is true when none of the bits is set.
func noneOf(arg uint8, bits uint32) Condition {
	return bitsAre(arg, bits, 0)
}

// isNull is true when a pointer argument is NULL.
func isNull(arg uint8) Condition {
	return Condition{Arg: arg, Op: CompareEqual}
}
