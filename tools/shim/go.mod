module fastloop/shim

go 1.21
