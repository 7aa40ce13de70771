// Command contexts measures Go's context package for the benchmarks of lifeguard.
//
// Its first argument says what; it prints a JSON array of samples, in nanoseconds per operation, or bytes. A second one
// is the part of the samples to take.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

var scale = 1.0

// rounds is how many samples of a batch are taken.
func rounds() int { return scaled(20) }

func scaled(n int) int {
	if n := int(float64(n) * scale); n > 2 {
		return n
	}
	return 2
}

type key int

var sink int32

func main() {
	what := ""
	if len(os.Args) > 1 {
		what = os.Args[1]
	}
	measure, ok := measures[what]
	if !ok {
		names := make([]string, 0, len(measures))
		for name := range measures {
			names = append(names, name)
		}
		sort.Strings(names)
		fmt.Fprintln(os.Stderr, "usage: contexts", names)
		os.Exit(2)
	}
	if len(os.Args) > 2 {
		part, err := strconv.ParseFloat(os.Args[2], 64)
		if err != nil || !(part > 0 && part <= 1) {
			fmt.Fprintln(os.Stderr, "expected a part above 0 and at most 1, got", os.Args[2])
			os.Exit(2)
		}
		scale = part
	}
	if err := json.NewEncoder(os.Stdout).Encode(measure()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var measures = map[string]func() []float64{
	"poll":    poll,
	"seen":    func() []float64 { return latency(false) },
	"settled": func() []float64 { return latency(true) },
	"withCancel": func() []float64 {
		return perOperation(20_000, func() {
			_, cancel := context.WithCancel(context.Background())
			cancel()
		})
	},
	"withTimeout40":   func() []float64 { return withTimeout(40) },
	"withTimeout400k": func() []float64 { return withTimeout(400_000) },
	"children":        children,
	"chain":           chain,
	"value10":         func() []float64 { return value(10) },
	"value100":        func() []float64 { return value(100) },
	"bytes":           bytes,
}

// perOperation times batches of n, rounds times after a warm-up.
func perOperation(n int, f func()) []float64 {
	samples := make([]float64, 0, rounds())
	for round := -2; round < rounds(); round++ {
		from := time.Now()
		for i := 0; i < n; i++ {
			f()
		}
		if round >= 0 {
			samples = append(samples, float64(time.Since(from).Nanoseconds())/float64(n))
		}
	}
	return samples
}

func step(x int32) int32 { return x*1103515245 + 12345 }

// poll is the cost of Err in a loop over the same loop without, a deadline armed.
func poll() []float64 {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	const n = 5_000_000
	samples := make([]float64, 0, rounds())
	for round := -2; round < rounds(); round++ {
		from := time.Now()
		bare(n)
		between := time.Now()
		polling(ctx, n)
		took := time.Since(between) - between.Sub(from)
		if round >= 0 {
			samples = append(samples, float64(took.Nanoseconds())/n)
		}
	}
	return samples
}

//go:noinline
func bare(n int) {
	x := int32(1)
	for i := 0; i < n; i++ {
		x = step(x)
	}
	sink = x
}

//go:noinline
func polling(ctx context.Context, n int) {
	x := int32(1)
	for i := 0; i < n; i++ {
		if ctx.Err() != nil {
			break
		}
		x = step(x)
	}
	sink = x
}

// latency is the time from cancel, at random moments, to a goroutine's loop seeing it; or, joined, to the one who
// cancelled knowing that the goroutine has ended.
func latency(joined bool) []float64 {
	n := scaled(600)
	samples := make([]float64, 0, n)
	for round := -50; round < n; round++ {
		ctx, cancel := context.WithCancel(context.Background())
		var running atomic.Bool
		var at time.Time
		ended := make(chan struct{})
		go func() {
			running.Store(true)
			x := int32(1)
			for ctx.Err() == nil {
				x = step(x)
			}
			at = time.Now()
			sink = x
			close(ended)
		}()
		for !running.Load() {
			runtime.Gosched()
		}
		time.Sleep(time.Duration(1e6 + rand.Intn(2e6)))
		from := time.Now()
		cancel()
		<-ended
		if joined {
			at = time.Now()
		}
		if round >= 0 {
			samples = append(samples, float64(at.Sub(from).Nanoseconds()))
		}
	}
	return samples
}

func withTimeout(live int) []float64 {
	cancels := make([]context.CancelFunc, live)
	for i := range cancels {
		_, cancels[i] = context.WithTimeout(context.Background(), time.Hour+time.Duration(i)*time.Millisecond)
	}
	samples := perOperation(20_000, func() {
		_, cancel := context.WithTimeout(context.Background(), time.Minute)
		cancel()
	})
	for _, cancel := range cancels {
		cancel()
	}
	return samples
}

func children() []float64 {
	samples := make([]float64, 0, rounds())
	for round := -2; round < rounds(); round++ {
		parent, cancel := context.WithCancel(context.Background())
		cancels := make([]context.CancelFunc, 100_000)
		for i := range cancels {
			_, cancels[i] = context.WithCancel(parent)
		}
		runtime.GC()
		from := time.Now()
		cancel()
		if round >= 0 {
			samples = append(samples, float64(time.Since(from).Nanoseconds()))
		}
		runtime.KeepAlive(cancels)
	}
	return samples
}

func chain() []float64 {
	return perOperation(50, func() {
		root, cancel := context.WithCancel(context.Background())
		ctx := root
		for i := 0; i < 1000; i++ {
			ctx, _ = context.WithCancel(ctx) // the root's cancel ends them
		}
		cancel()
	})
}

func value(layers int) []float64 {
	ctx := context.Background()
	for i := 0; i < layers; i++ {
		ctx = context.WithValue(ctx, key(i), i)
	}
	return perOperation(50_000, func() {
		if ctx.Value(key(-1)) != nil {
			panic("found")
		}
	})
}

// bytes is what one WithCancel allocates.
func bytes() []float64 {
	result := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; i < b.N; i++ {
			_, cancel := context.WithCancel(context.Background())
			cancel()
		}
	})
	return []float64{float64(result.AllocedBytesPerOp())}
}
