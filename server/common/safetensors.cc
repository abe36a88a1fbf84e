#include "server/common/safetensors.h"
