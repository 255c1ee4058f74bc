package main

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_AARCH64

// What only this architecture has: nothing more.
var refusedHere = []uintptr{}
