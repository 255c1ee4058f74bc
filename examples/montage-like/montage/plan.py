"""How long each clip of a montage is shown."""


def cut_points(clips: list[float], beat: float) -> list[float]:
    """Ends of the clips in seconds, each moved to the nearest beat, none shorter than one beat."""
    points: list[float] = []
    at = 0.0
    for length in clips:
        at += max(beat, round(length / beat) * beat)
        points.append(round(at, 3))
    return points
