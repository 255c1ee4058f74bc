package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// look looks at everything that a scan of fastloop rested on, and prints one digest of what is there now. Where it is the
// digest that the scan made of what it saw (src/tree/seen/scan-recorder.ts, the other side of this contract), a scan would see the same.
//
//	confine look START END        the list is in descriptor 0, from byte START to END
//
// The list consists of items that end with a NUL each, a kind and a path or name:
//
//	D  a folder: the names in it and their types
//	E  a name in the last folder: what lstat says, and a link's text
//	R  a file that was read: what stat says
//	K  a path of which only the type counts, through links
//	L  a path that may be a link: its text, or the type
//	T  a folder of which its times say what it holds
//
// The digest is the SHA-256 of the list and, in its order, of what was seen, where the names of a folder have their length in
// front. What can't be looked at ends look without a digest, and a scan has to say why.
func look(start, end string) error {
	list, err := listBetween(start, end)
	if err != nil {
		return err
	}
	// It lives for milliseconds.
	debug.SetGCPercent(1000)
	tasks, err := tasksOf(list)
	if err != nil {
		return err
	}
	pieces := make([][]byte, len(tasks))
	var next atomic.Int64
	var failure atomic.Pointer[error]
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			names := make([]byte, 32*1024)
			for {
				index := int(next.Add(1)) - 1
				if index >= len(tasks) || failure.Load() != nil {
					return
				}
				piece, err := tasks[index].see(names)
				if err != nil {
					failure.Store(&err)
					return
				}
				pieces[index] = piece
			}
		})
	}
	workers.Wait()
	if found := failure.Load(); found != nil {
		return *found
	}
	digest := sha256.New()
	digest.Write(list)
	for _, piece := range pieces {
		digest.Write(piece)
	}
	fmt.Printf("%x\n", digest.Sum(nil))
	return nil
}

// Lists are of a hundred bytes for a file at most; this is more than a million of them.
const largestList = 256 * 1024 * 1024

func listBetween(start, end string) ([]byte, error) {
	from, err := strconv.ParseInt(start, 10, 64)
	if err != nil {
		return nil, err
	}
	to, err := strconv.ParseInt(end, 10, 64)
	if err != nil {
		return nil, err
	}
	if from < 0 || to < from || to-from > largestList {
		return nil, errors.New("no list")
	}
	list := make([]byte, to-from)
	_, err = io.ReadFull(io.NewSectionReader(os.Stdin, from, to-from), list)
	return list, err
}

// task is one item. Names in a folder are looked at in tasks of kind E, a part of them in each, so that all cores have some.
type task struct {
	kind  byte
	path  string
	names []string
}

const namesPerTask = 512

func tasksOf(list []byte) ([]task, error) {
	var tasks []task
	for len(list) > 0 {
		end := bytes.IndexByte(list, 0)
		if end < 2 {
			return nil, errors.New("no list")
		}
		kind, text := list[0], string(list[1:end])
		list = list[end+1:]
		switch {
		case kind == 'E' && len(tasks) > 0 && (tasks[len(tasks)-1].kind == 'D' || tasks[len(tasks)-1].kind == 'E'):
			last := &tasks[len(tasks)-1]
			if len(last.names) == namesPerTask {
				tasks = append(tasks, task{kind: 'E', path: last.path})
				last = &tasks[len(tasks)-1]
			}
			last.names = append(last.names, text)
		case bytes.IndexByte([]byte("DRKLT"), kind) >= 0 && text[0] == '/':
			tasks = append(tasks, task{kind: kind, path: text})
		default:
			return nil, errors.New("no list")
		}
	}
	return tasks, nil
}

// see gives what is there now; names is room to read a folder into.
func (item task) see(names []byte) ([]byte, error) {
	if item.kind == 'D' || item.kind == 'E' {
		return seeFolder(item, names)
	}
	var stats unix.Stat_t
	var err error
	if item.kind == 'R' || item.kind == 'K' {
		err = retried(func() error { return unix.Stat(item.path, &stats) })
	} else {
		err = retried(func() error { return unix.Lstat(item.path, &stats) })
	}
	if err == unix.ENOENT || err == unix.ENOTDIR {
		return []byte{'-'}, nil
	}
	if err != nil {
		return nil, err
	}
	kind := typeOf(stats.Mode)
	seen := []byte{kind}
	switch {
	case item.kind == 'R' && kind == 'f':
		seen = appendNumbers(seen, float64(stats.Size))
		seen = appendTimes(seen, &stats, true)
	case item.kind == 'L' && kind == 'l':
		text, err := linkText(unix.AT_FDCWD, item.path)
		if err != nil {
			return nil, err
		}
		seen = append(append(seen, text...), 0)
	case item.kind == 'T' && kind == 'd':
		seen = appendTimes(seen, &stats, true)
	}
	return seen, nil
}

func seeFolder(item task, buffer []byte) ([]byte, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	var folder int
	err := retried(func() (err error) {
		folder, err = unix.Open(item.path, flags, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer unix.Close(folder)
	var seen []byte
	if item.kind == 'D' {
		names, err := namesIn(folder, buffer)
		if err != nil {
			return nil, err
		}
		seen = binary.LittleEndian.AppendUint32(seen, uint32(len(names)))
		seen = append(seen, names...)
	}
	for _, name := range item.names {
		var stats unix.Stat_t
		err := retried(func() error { return unix.Fstatat(folder, name, &stats, unix.AT_SYMLINK_NOFOLLOW) })
		if err != nil {
			return nil, err
		}
		size := 0.0
		if stats.Mode&unix.S_IFMT == unix.S_IFREG {
			size = float64(stats.Size)
		}
		seen = appendNumbers(seen, float64(stats.Mode), size, float64(stats.Uid), float64(stats.Gid))
		// What is in a folder shows in its own names.
		seen = appendTimes(seen, &stats, stats.Mode&unix.S_IFMT != unix.S_IFDIR)
		if stats.Mode&unix.S_IFMT == unix.S_IFLNK {
			text, err := linkText(folder, name)
			if err != nil {
				return nil, err
			}
			seen = append(append(seen, text...), 0)
		}
	}
	return seen, nil
}

// namesIn gives the names in a folder, in the order of their bytes, each with a NUL and its type behind.
func namesIn(folder int, buffer []byte) ([]byte, error) {
	var found [][]byte
	for {
		var count int
		err := retried(func() (err error) {
			count, err = unix.ReadDirent(folder, buffer)
			return err
		})
		if err != nil {
			return nil, err
		}
		if count <= 0 {
			break
		}
		// struct linux_dirent64: inode 8, offset 8, length 2, type 1, name.
		for entries := buffer[:count]; len(entries) > 0; {
			length := int(binary.LittleEndian.Uint16(entries[16:]))
			name := entries[19:length]
			name = name[:bytes.IndexByte(name, 0)]
			if text := string(name); text != "." && text != ".." {
				kind, err := typeOfEntry(folder, text, entries[18])
				if err != nil {
					return nil, err
				}
				found = append(found, append(bytes.Clone(name), 0, kind))
			}
			entries = entries[length:]
		}
	}
	// Behind a name comes a NUL, which no name has in it.
	sort.Slice(found, func(a, b int) bool { return bytes.Compare(found[a], found[b]) < 0 })
	return bytes.Join(found, nil), nil
}

func typeOfEntry(folder int, name string, kind byte) (byte, error) {
	if kind != unix.DT_UNKNOWN {
		return typeOf(uint32(kind) << 12), nil
	}
	var stats unix.Stat_t
	err := retried(func() error { return unix.Fstatat(folder, name, &stats, unix.AT_SYMLINK_NOFOLLOW) })
	return typeOf(stats.Mode), err
}

func typeOf(mode uint32) byte {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return 'f'
	case unix.S_IFDIR:
		return 'd'
	case unix.S_IFLNK:
		return 'l'
	}
	// Pipes, sockets, devices: nothing of them is ever read.
	return 'o'
}

func linkText(folder int, name string) ([]byte, error) {
	text := make([]byte, 4096)
	var length int
	err := retried(func() (err error) {
		length, err = unix.Readlinkat(folder, name, text)
		return err
	})
	if err == nil && length == len(text) {
		err = errors.New("a link's text is too long")
	}
	return text[:max(length, 0)], err
}

// appendNumbers writes them as JavaScript holds them.
func appendNumbers(seen []byte, numbers ...float64) []byte {
	for _, number := range numbers {
		seen = binary.LittleEndian.AppendUint64(seen, math.Float64bits(number))
	}
	return seen
}

// appendTimes writes the times in nanoseconds, if they are wanted, and the inode.
func appendTimes(seen []byte, stats *unix.Stat_t, isTimed bool) []byte {
	var modified, changed int64
	if isTimed {
		modified, changed = stats.Mtim.Nano(), stats.Ctim.Nano()
	}
	seen = binary.LittleEndian.AppendUint64(seen, uint64(modified))
	seen = binary.LittleEndian.AppendUint64(seen, uint64(changed))
	return binary.LittleEndian.AppendUint64(seen, stats.Ino)
}

// retried does a call again that a signal has interrupted: Go's own scheduler sends some.
func retried(call func() error) error {
	for {
		if err := call(); err != unix.EINTR {
			return err
		}
	}
}
