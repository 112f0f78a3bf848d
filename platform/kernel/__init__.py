"""The floor: clock, money, errors, actor. Imports nobody of ours."""
