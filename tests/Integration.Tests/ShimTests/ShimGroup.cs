namespace ImageStore.Integration.Tests.ShimTests;

/// <summary>One containerd for all, whose leftovers are looked for when all are done.</summary>
[CollectionDefinition(Name)]
public sealed class ShimGroup : ICollectionFixture<ShimNode>
{
    public const string Name = "shim";
}
