package shim

// #include <stdlib.h>
// #include "begin.h"
import "C"

import "unsafe"

func freeString(s *C.char) { C.free(unsafe.Pointer(s)) }

// recallOf copies what the constructor knows out of C's memory.
func recallOf(b *C.struct_psb_begun) Recall {
	r := Recall{
		Sent:   b.recall != C.PSB_RECALL_NONE,
		Header: C.GoBytes(unsafe.Pointer(&b.memo_header), C.sizeof_struct_psb_memo_header),
		File:   C.GoString(&b.memo_file[0]),
	}
	if b.recall == C.PSB_RECALL_SENT {
		r.Memo = unsafe.Slice((*byte)(b.recalled), int(b.recalled_size))
	}
	return r
}
