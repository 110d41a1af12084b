#pragma once

namespace attention::machine {

/// Starts the program again, with the same arguments, without the environment variables that change what is
/// measured (OPENBLAS_CORETYPE, OMP_NUM_THREADS, OMP_PROC_BIND, GOMP_CPU_AFFINITY, KMP_AFFINITY … :
/// everything that steers OpenMP or OpenBLAS, but not what only prints or serves a tool). Returns at once
/// where none is set.
///
/// Starting again is needed since both libraries read them while they are loaded, before main.
/// OMP_WAIT_POLICY and its like go too: left alone, the runtimes spin for a while before they sleep, so that
/// a region follows another without a wake-up, and a program that waits does not burn a core that another
/// thread needs.
///
/// `argv` is main's. Call it first in main, before any thread is started. Where the program cannot be started
/// again it goes on as it is.
void settle_environment(char** argv);

}  // namespace attention::machine
