#pragma once

#include <string>

namespace attention::machine {

/// Starts the program again, with the same arguments, without the environment variables that change what is
/// measured (OPENBLAS_CORETYPE, OMP_NUM_THREADS, OMP_PROC_BIND, GOMP_CPU_AFFINITY, KMP_AFFINITY … :
/// everything that steers OpenMP or OpenBLAS, but not what only prints or serves a tool). Returns at once
/// where none is set.
///
/// One is set where it must be: an OpenBLAS that does not know the processor takes it for a Pentium 4 of 2004 and computes with
/// kernels for that, several times slower than it can. It is asked for those of the CPU's instruction set, see asked_openblas_core.
///
/// Starting again is needed since both libraries read them while they are loaded, before main.
/// OMP_WAIT_POLICY and its like go too: left alone, the runtimes spin for a while before they sleep, so that
/// a region follows another without a wake-up, and a program that waits does not burn a core that another
/// thread needs.
///
/// `argv` is main's. Call it first in main, before any thread is started. Where the program cannot be started
/// again it goes on as it is.
void settle_environment(char** argv);

/// The kernels that settle_environment has asked OpenBLAS for, "SkylakeX" or "Haswell", in this program or in the one that started
/// it; empty where its own choice stands.
std::string asked_openblas_core();

/// Those that should be asked for: the library would compute with kernels for a Pentium 4 though the CPU has AVX2 or AVX-512. Empty
/// where there is nothing to put right.
std::string missed_openblas_core();

}  // namespace attention::machine
