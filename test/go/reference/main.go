// Command reference runs programs with Go's own context package and errgroup: one JSON object a line comes in on standard
// input, one line goes out on descriptor 3, the trace of that program. See ../program.mjs for what a program is, and ../ours.mjs for the
// same with lifeguard, which has to write the same trace.
//
// It is built with the tag faketime: time stands still, and jumps to the next timer when every goroutine waits. So Sleep
// returns when all that a step has set off is over, deadlines take no time, and every run gives the same trace. Standard output has a
// header before each write then, hence descriptor 3.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"
)

// keys is how many keys of values there are.
const keys = 3

// tick is how long a step takes; the first one is at half of it.
const tick = 2 * time.Millisecond

type step struct {
	Op      string `json:"op"`
	ID      int    `json:"id"`
	On      int    `json:"on"`
	Target  int    `json:"target"`
	Cause   bool   `json:"cause"`
	Expired bool   `json:"expired"`
	Nil     bool   `json:"nil"`
	Ms      int64  `json:"ms"`
	At      int64  `json:"at"`
	Ticks   int64  `json:"ticks"`
	Key     int    `json:"key"`
	Limit   int    `json:"limit"`
	Kind    string `json:"kind"`
	Style   string `json:"style"`
	Does    string `json:"does"`
	Work    string `json:"work"`
	Fails   string `json:"fails"`
}

type program struct {
	Every bool   `json:"every"`
	Steps []step `json:"steps"`
}

// labelled is a cause: an error that is known by the step that brought it.
type labelled struct{ label string }

func (l *labelled) Error() string { return l.label }

func causeOf(id int) error { return &labelled{"c" + strconv.Itoa(id)} }

// labelOf says which error it is.
func labelOf(err error) string {
	if err == nil {
		return "-"
	}
	if l, ok := err.(*labelled); ok {
		return l.label
	}
	switch err {
	case context.Canceled:
		return "canceled"
	case context.DeadlineExceeded:
		return "deadline"
	}
	return fmt.Sprintf("%T", err)
}

type key int

// delegating passes every question on. It is no type of the context package.
type delegating struct{ context.Context }

// withLabel answers for one value itself.
type withLabel struct {
	context.Context
	key   key
	label string
}

func (c *withLabel) Value(k any) any {
	if k == c.key {
		return c.label
	}
	return c.Context.Value(k)
}

// dated says a deadline of its own, which nothing happens at.
type dated struct {
	context.Context
	at time.Time
}

func (c *dated) Deadline() (time.Time, bool) { return c.at, true }

// independent has the values of another context, and ends when it is told to.
type independent struct {
	context.Context
	at    time.Time
	dated bool
	done  chan struct{}
	mu    sync.Mutex
	err   error
}

func (c *independent) Deadline() (time.Time, bool) { return c.at, c.dated }
func (c *independent) Done() <-chan struct{}       { return c.done }
func (c *independent) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *independent) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	close(c.done)
}

type group struct {
	*errgroup.Group
	ctx     context.Context
	limit   int
	style   string
	running int // functions that have begun and not returned
	queued  int // calls of Go that wait for a place
	waiting int // calls of Wait that have not returned
}

type gate struct {
	open chan error
	used bool
}

// run is one program being run.
type run struct {
	start  time.Time
	quit   chan struct{}
	order  []int
	ctxs   map[int]context.Context
	cancel map[int]func(error)
	stops  map[int]func() bool
	groups map[int]*group
	looked map[int]string

	mu     sync.Mutex
	gates  map[int]*gate
	events []string
	trace  []string
}

func (r *run) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, fmt.Sprintf(format, args...))
}

func (r *run) add(id int, ctx context.Context) {
	r.ctxs[id] = ctx
	r.order = append(r.order, id)
}

func (r *run) at(ms int64) time.Time { return r.start.Add(time.Duration(ms) * time.Millisecond) }

func plain(cancel context.CancelFunc) func(error) { return func(error) { cancel() } }

func (r *run) take(s step) {
	on := r.ctxs[s.On]
	switch s.Op {
	case "withCancel":
		if s.Cause {
			ctx, cancel := context.WithCancelCause(on)
			r.add(s.ID, ctx)
			r.cancel[s.ID] = cancel
			return
		}
		ctx, cancel := context.WithCancel(on)
		r.add(s.ID, ctx)
		r.cancel[s.ID] = plain(cancel)
	case "withTimeout":
		timeout := time.Duration(s.Ms) * time.Millisecond
		if s.Cause {
			ctx, cancel := context.WithTimeoutCause(on, timeout, causeOf(s.ID))
			r.add(s.ID, ctx)
			r.cancel[s.ID] = plain(cancel)
			return
		}
		ctx, cancel := context.WithTimeout(on, timeout)
		r.add(s.ID, ctx)
		r.cancel[s.ID] = plain(cancel)
	case "withDeadline":
		if s.Cause {
			ctx, cancel := context.WithDeadlineCause(on, r.at(s.At), causeOf(s.ID))
			r.add(s.ID, ctx)
			r.cancel[s.ID] = plain(cancel)
			return
		}
		ctx, cancel := context.WithDeadline(on, r.at(s.At))
		r.add(s.ID, ctx)
		r.cancel[s.ID] = plain(cancel)
	case "withValue":
		var value any
		if !s.Nil {
			value = "v" + strconv.Itoa(s.ID)
		}
		r.add(s.ID, context.WithValue(on, key(s.Key), value))
	case "withoutCancel":
		r.add(s.ID, context.WithoutCancel(on))
	case "custom":
		r.add(s.ID, r.custom(s, on))
	case "group":
		g, ctx := errgroup.WithContext(on)
		g.SetLimit(s.Limit)
		r.groups[s.ID] = &group{Group: g, ctx: ctx, limit: s.Limit, style: s.Style}
		r.add(s.ID, ctx)
	case "cancel":
		if s.Cause {
			r.cancel[s.On](causeOf(s.ID))
		} else {
			r.cancel[s.On](nil)
		}
	case "end":
		on.(*independent).end(ending(s.Expired))
	case "afterFunc":
		r.afterFunc(s, on)
	case "stop":
		r.say("stop r%d: %t", s.On, r.stops[s.On]())
	case "watch":
		go func() {
			select {
			case <-on.Done():
				r.say("n%d is done", s.On)
			case <-r.quit:
			}
		}()
	case "go", "tryGo":
		r.goTo(s, r.groups[s.On])
	case "finish":
		r.finish(s)
	case "wait":
		r.wait(s, r.groups[s.On])
	case "pass", "look":
	default:
		panic("no such step: " + s.Op)
	}
}

func ending(expired bool) error {
	if expired {
		return context.DeadlineExceeded
	}
	return context.Canceled
}

func (r *run) custom(s step, on context.Context) context.Context {
	switch s.Kind {
	case "delegating":
		return delegating{on}
	case "labelled":
		return &withLabel{on, key(s.Key), "v" + strconv.Itoa(s.ID)}
	case "dated":
		return &dated{on, r.at(s.At)}
	case "independent":
		return &independent{Context: on, done: make(chan struct{})}
	case "independent dated":
		return &independent{Context: on, done: make(chan struct{}), dated: true, at: r.at(s.At)}
	}
	panic("no such custom context: " + s.Kind)
}

func (r *run) afterFunc(s step, on context.Context) {
	ready := make(chan struct{})
	r.stops[s.ID] = context.AfterFunc(on, func() {
		<-ready
		r.say("r%d runs: %s", s.ID, endOf(on))
		switch s.Does {
		case "cancel":
			if s.Cause {
				r.cancel[s.Target](causeOf(s.ID))
			} else {
				r.cancel[s.Target](nil)
			}
		case "stop":
			r.say("stop r%d within: %t", s.ID, r.stops[s.ID]())
		case "register":
			ctx := r.ctxs[s.Target]
			stop := context.AfterFunc(ctx, func() { r.say("r%d's runs: %s", s.ID, endOf(ctx)) })
			go func() {
				<-r.quit
				stop()
			}()
		case "derive":
			ctx, cancel := context.WithCancel(on)
			r.say("r%d's child: %s", s.ID, endOf(ctx))
			cancel()
		}
	})
	close(ready)
}

func (r *run) goTo(s step, g *group) {
	r.mu.Lock()
	full := g.limit >= 0 && g.running >= g.limit
	blocked := s.Op == "go" && full && g.waiting > 0
	if !blocked && s.Op == "go" {
		g.queued++
	}
	if s.Work == "gate" && !blocked {
		r.gates[s.ID] = nil // not begun
	}
	r.mu.Unlock()
	if blocked {
		r.say("f%d: not while somebody waits", s.ID)
		return
	}
	f := func() error {
		r.mu.Lock()
		g.running++
		if s.Op == "go" {
			g.queued--
		}
		own := &gate{open: make(chan error, 1)}
		r.gates[s.ID] = own
		r.mu.Unlock()
		r.say("f%d begins: %s", s.ID, endOf(g.ctx))
		err := r.work(s, g, own)
		r.mu.Lock()
		g.running--
		r.mu.Unlock()
		r.say("f%d ends: %s", s.ID, labelOf(err))
		return err
	}
	if s.Op == "tryGo" {
		r.say("tryGo f%d: %t", s.ID, g.TryGo(f))
		return
	}
	go g.Go(f)
}

func (r *run) work(s step, g *group, own *gate) error {
	switch s.Work {
	case "gate":
		select {
		case err := <-own.open:
			return err
		case <-r.quit:
			return nil
		}
	case "ctx":
		select {
		case <-g.ctx.Done():
		case <-r.quit:
			return nil
		}
		switch g.style {
		case "err":
			return g.ctx.Err()
		case "cause":
			return context.Cause(g.ctx)
		}
		return nil
	case "fail":
		return causeOf(s.ID)
	}
	return nil
}

func (r *run) finish(s step) {
	r.mu.Lock()
	own := r.gates[s.On]
	usable := own != nil && !own.used
	if usable {
		own.used = true
	}
	r.mu.Unlock()
	if !usable {
		r.say("f%d is not running", s.On)
		return
	}
	switch s.Fails {
	case "cause":
		own.open <- causeOf(s.ID)
	case "err":
		own.open <- r.ctxs[s.Target].Err()
	default:
		own.open <- nil
	}
}

func (r *run) wait(s step, g *group) {
	r.mu.Lock()
	blocked := g.queued > 0
	if !blocked {
		g.waiting++
	}
	r.mu.Unlock()
	if blocked {
		r.say("n%d: no wait while somebody waits for a place", s.On)
		return
	}
	go func() {
		err := g.Wait()
		r.mu.Lock()
		g.waiting--
		r.mu.Unlock()
		r.say("wait w%d: %s", s.ID, labelOf(err))
	}()
}

// endOf says how a context has ended. The cause of a context that has not is left out: Go's is that of the context below a
// custom one; and where Go before 1.24 has none for a custom context that ended by itself, it is the error, as since.
func endOf(ctx context.Context) string {
	err := ctx.Err()
	if err == nil {
		return "live"
	}
	cause := context.Cause(ctx)
	if cause == nil {
		cause = err
	}
	return labelOf(err) + " " + labelOf(cause)
}

func (r *run) stateOf(ctx context.Context) string {
	var b strings.Builder
	b.WriteString(endOf(ctx))
	select {
	case <-ctx.Done():
		b.WriteString(" done")
	default:
		b.WriteString(" not done")
	}
	if at, ok := ctx.Deadline(); ok {
		b.WriteString(" " + strconv.FormatInt(at.Sub(r.start).Milliseconds(), 10))
	} else {
		b.WriteString(" -")
	}
	for k := 0; k < keys; k++ {
		if value := ctx.Value(key(k)); value != nil {
			b.WriteString(" " + value.(string))
		} else {
			b.WriteString(" -")
		}
	}
	return b.String()
}

// look adds what has happened, and, if asked to, what has changed in the contexts.
func (r *run) look(id int, contexts bool) {
	r.mu.Lock()
	events := r.events
	r.events = nil
	r.mu.Unlock()
	sort.Strings(events) // in one step the order is open
	if contexts {
		for _, id := range r.order {
			if state := r.stateOf(r.ctxs[id]); state != r.looked[id] {
				r.looked[id] = state
				events = append(events, fmt.Sprintf("n%d %s", id, state))
			}
		}
	}
	if len(events) > 0 {
		r.trace = append(r.trace, fmt.Sprintf("%d| %s", id, strings.Join(events, "; ")))
	}
}

func (r *run) clean() {
	close(r.quit)
	for _, stop := range r.stops {
		stop()
	}
	for _, cancel := range r.cancel {
		cancel(nil)
	}
	for _, ctx := range r.ctxs {
		if own, ok := ctx.(*independent); ok {
			own.end(context.Canceled)
		}
	}
	time.Sleep(tick)
}

func trace(p program) string {
	r := &run{
		start:  time.Now(),
		quit:   make(chan struct{}),
		order:  []int{0},
		ctxs:   map[int]context.Context{0: context.Background()},
		cancel: map[int]func(error){},
		stops:  map[int]func() bool{},
		groups: map[int]*group{},
		looked: map[int]string{},
		gates:  map[int]*gate{},
	}
	time.Sleep(tick / 2)
	for _, s := range p.Steps {
		r.take(s)
		if s.Op == "pass" {
			time.Sleep(time.Duration(s.Ticks) * tick)
		} else {
			time.Sleep(tick)
		}
		r.look(s.ID, p.Every || s.Op == "look")
	}
	r.look(-1, true)
	r.clean()
	return strings.Join(r.trace, "\t")
}

// standardInput reads without Go's poller: whoever waits in there counts as running, so time stands still.
type standardInput struct{}

func (standardInput) Read(p []byte) (int, error) {
	for {
		n, err := syscall.Read(0, p)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if n <= 0 && err == nil {
			return 0, os.ErrClosed
		}
		return n, err
	}
}

func again() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(self, []string{self, "again"}, os.Environ())
}

func main() {
	if err := syscall.SetNonblock(0, false); err != nil {
		panic(err)
	}
	// With real time that is a second, and more than a second.
	before := time.Now()
	time.Sleep(time.Second)
	if time.Since(before) != time.Second {
		panic("built without -tags=faketime")
	}
	out := os.NewFile(3, "traces")
	in := bufio.NewReaderSize(standardInput{}, 1<<20)
	if len(os.Args) == 1 {
		fmt.Fprintln(out, runtime.Version())
	}
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var p program
		if err := json.Unmarshal(line, &p); err != nil {
			panic(err)
		}
		if _, err := out.WriteString(trace(p) + "\n"); err != nil {
			return
		}
		// A Go that a limit of 0 blocks does so for ever, and each jump of time looks at every goroutine: begin anew.
		if runtime.NumGoroutine() > 20 && in.Buffered() == 0 {
			if err := again(); err != nil {
				panic(err)
			}
		}
	}
}
