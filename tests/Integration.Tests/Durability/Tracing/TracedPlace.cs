using ImageStore.Integration.Tests.Durability.Disk;

namespace ImageStore.Integration.Tests.Durability.Tracing;

/// <summary>Where a path leads: an inode, and the directory and name by which it was reached.</summary>
/// <param name="Directory">Null when the path is a descriptor itself, or the root of all that is recorded.</param>
/// <param name="Name">The last part of the path.</param>
/// <param name="Inode">Null when nothing has that name.</param>
internal readonly record struct TracedPlace(Inode? Directory, string Name, Inode? Inode);
