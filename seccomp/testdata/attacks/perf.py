# wants: EPERM
# reports: perf_event_open
# needs: CAP_PERFMON
attributes = struct.pack("IIQ", 1, 128, 0) + bytes(112)  # a software clock
attack(lambda: call(298, attributes, 0, 2**64 - 1, 2**64 - 1, 0) >= 0)
