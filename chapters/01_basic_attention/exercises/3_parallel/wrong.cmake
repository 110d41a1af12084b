set(buffer "std::vector<float> row(static_cast<std::size_t>(p.keys()));")
wrong(race "    ${buffer}\n" "" "#pragma omp parallel for\n  for (Index i = 0; i < p.queries()" "  ${buffer}\n#pragma omp parallel for\n  for (Index i = 0; i < p.queries()")
wrong(last_tile "i < p.queries()" "i < p.queries() / 8 * 8")
