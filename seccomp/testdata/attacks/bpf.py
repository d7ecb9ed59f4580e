# wants: EPERM
# reports: bpf
# needs: CAP_BPF
attributes = struct.pack("IIII", 2, 4, 4, 1) + bytes(112)  # an array map of one element
attack(lambda: call(321, 0, attributes, len(attributes)) >= 0)
