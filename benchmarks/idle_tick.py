"""A tick with nothing due, over 10 to 10,000 agencies. Aim: at most 3 statements, and no growth."""

from datetime import timedelta

from benchmarks.bench import ready_platform, seconds, tidy_agencies
from benchmarks.full_pass import recorded


def main() -> None:
    with ready_platform():
        from campaigns import tasks
        from kernel import clock
        from tenants.models import Agency

        base = 0.0
        for count in (10, 200, 1000, 10_000):
            have = Agency.objects.count()
            Agency.objects.bulk_create(
                # Rows are enough: a tick with nothing due enters no agency.
                Agency(name=f"A{number}", slug=f"a{number}", is_ready=True)
                for number in range(have, count)
            )
            Agency.objects.update(full_sweep_at=clock.read() + timedelta(days=1))
            tidy_agencies()
            statements = len(recorded(tasks.tick))
            took = seconds(tasks.tick, rounds=50)
            base = base or took
            print(
                f"{count} agencies: {statements} statements, {took * 1000:.2f} ms,"
                f" ratio to 10 agencies {took / base:.2f}"
            )


if __name__ == "__main__":
    main()
