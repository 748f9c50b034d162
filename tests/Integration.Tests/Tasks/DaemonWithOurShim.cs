namespace ImageStore.Integration.Tests.Tasks;

/// <summary>Our daemon with our shim.</summary>
public static class DaemonWithOurShim
{
    private const string Name = "our daemon with our shim";

    /// <summary>One for all, whose leftovers are looked for when all are done.</summary>
    [CollectionDefinition(Name)]
    public sealed class Group : ICollectionFixture<Node>;

    public sealed class Node() : TaskNode(OurRuntime, OurShim)
    {
        public override string Shim => Built(OurShim);

        protected override string Command() => $"{Built("imagestored")} --root {Work}/root --state {Work}/state --address {Socket}";
    }

    [Collection(Name)]
    public sealed class Events(Node node) : EventTests(node);

    [Collection(Name)]
    public sealed class Run(Node node) : RunTests(node);

    [Collection(Name)]
    public sealed class Stdio(Node node) : StdioTests(node);

    [Collection(Name)]
    public sealed class Survival(Node node) : SurvivalTests(node);

    [Collection(Name)]
    public sealed class Tasks(Node node) : TaskTests(node);
}
