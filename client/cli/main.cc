#include "client/cli/app.h"

int main(int argc, char** argv) { return sluice::cli::RunCli(argc, argv); }
