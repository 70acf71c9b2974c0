"""What all tests of the service share."""

from ocrkit.service.queue import Pinned
from ocrkit.service.walls import Limits

ECHO = "service_readers:echo"
MODEL = Pinned("/models/one", "one", "1" * 64, 7)
LIMITS = Limits(cpu_s=1, wall_s=60.0, memory_mb=128, all_pages_times=1, pages=3)
