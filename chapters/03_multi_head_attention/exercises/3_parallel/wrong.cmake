wrong(race "for (Index i = 0; i < p.n(); ++i)\n      for (Index h = 0; h < p.heads(); ++h) {" "for (Index h = 0; h < p.heads(); ++h)\n      for (Index i = 0; i < p.n(); ++i) {" "schedule(dynamic, 8)" "schedule(dynamic, 1)")
wrong(mask_off_by_one "p.causal ? i + 1 : p.n()" "p.causal ? std::min(i + 2, p.n()) : p.n()")
