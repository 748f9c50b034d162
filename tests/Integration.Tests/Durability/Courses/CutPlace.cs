using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>Where and how a recorded course is cut off.</summary>
/// <param name="Cut">How many operations were done.</param>
/// <param name="Variant">What becomes of those that were not synced.</param>
internal sealed record CutPlace(int Cut, CutVariant Variant);
