package lua

import (
	"math"
	"math/rand/v2"

	vm "github.com/yuin/gopher-lua"
)

// mathFunctions are those of the table math. Random numbers are each run's own, and no plugin
// can set what others get.
func (m *machine) mathFunctions() map[string]vm.LGFunction {
	return map[string]vm.LGFunction{
		"abs": of(math.Abs), "ceil": of(math.Ceil), "floor": of(math.Floor), "sqrt": of(math.Sqrt), "exp": of(math.Exp),
		"log": of(math.Log), "log10": of(math.Log10), "sin": of(math.Sin), "cos": of(math.Cos), "tan": of(math.Tan),
		"asin": of(math.Asin), "acos": of(math.Acos), "atan": of(math.Atan), "atan2": ofTwo(math.Atan2),
		"pow": ofTwo(math.Pow), "fmod": ofTwo(math.Mod), "deg": of(func(x float64) float64 { return x * 180 / math.Pi }),
		"rad":  of(func(x float64) float64 { return x * math.Pi / 180 }),
		"modf": modf, "max": mathMax, "min": mathMin, "random": random, "randomseed": func(*vm.LState) int { return 0 },
	}
}

func of(fn func(float64) float64) vm.LGFunction {
	return func(L *vm.LState) int {
		L.Push(vm.LNumber(fn(float64(L.CheckNumber(1)))))
		return 1
	}
}

func ofTwo(fn func(x, y float64) float64) vm.LGFunction {
	return func(L *vm.LState) int {
		L.Push(vm.LNumber(fn(float64(L.CheckNumber(1)), float64(L.CheckNumber(2)))))
		return 1
	}
}

func modf(L *vm.LState) int {
	whole, fraction := math.Modf(float64(L.CheckNumber(1)))
	L.Push(vm.LNumber(whole))
	L.Push(vm.LNumber(fraction))
	return 2
}

func mathMax(L *vm.LState) int { return extreme(L, math.Max) }
func mathMin(L *vm.LState) int { return extreme(L, math.Min) }

func extreme(L *vm.LState, of func(x, y float64) float64) int {
	out := float64(L.CheckNumber(1))
	for i := 2; i <= L.GetTop(); i++ {
		out = of(out, float64(L.CheckNumber(i)))
	}
	L.Push(vm.LNumber(out))
	return 1
}

func random(L *vm.LState) int {
	if L.GetTop() == 0 {
		L.Push(vm.LNumber(rand.Float64()))
		return 1
	}
	low, high := 1, clamp(L.CheckNumber(1))
	if L.GetTop() > 1 {
		low, high = high, clamp(L.CheckNumber(2))
	}
	if low > high {
		L.RaiseError("the interval is empty")
	}
	L.Push(vm.LNumber(low + rand.IntN(high-low+1)))
	return 1
}
