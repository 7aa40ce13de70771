module lifeguard/bench

go 1.19
