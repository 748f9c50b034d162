using ImageStore.Store.Oci;

namespace ImageStore.Engine.Serving;

/// <summary>What becomes of an image that is brought.</summary>
/// <param name="Name">What it is to be called.</param>
/// <param name="Labels">Labels that it gets beside our own.</param>
/// <param name="Platforms">The platforms of an index that are brought; none for all.</param>
/// <param name="Unpacks">What it is unpacked for.</param>
public sealed record ImageDestination(
    string Name, IReadOnlyDictionary<string, string> Labels, IReadOnlyList<Platform> Platforms, IReadOnlyList<UnpackTarget> Unpacks);

/// <summary>A platform, and who unpacks an image for it.</summary>
/// <param name="Platform">The platform.</param>
/// <param name="Snapshotter">The snapshotter; null for the namespace's.</param>
public sealed record UnpackTarget(Platform Platform, string? Snapshotter);
