#include "encoder_decoder.hpp"
int main() {}
