using ImageStore.Integration.Tests.Durability.Checks;
using ImageStore.Integration.Tests.Durability.Faults;

namespace ImageStore.Integration.Tests.Durability.Courses;

/// <summary>A step, what it did, and what was so before and after it.</summary>
/// <param name="Step">The command.</param>
/// <param name="Start">How many operations there were before it.</param>
/// <param name="End">How many there were when it was acknowledged.</param>
/// <param name="Before">What was acknowledged before it.</param>
/// <param name="After">What is acknowledged by it.</param>
/// <param name="Goal">What its repeat acknowledges.</param>
internal sealed record RecordedStep(Step Step, int Start, int End, Facts Before, Facts After, Facts Goal)
{
    /// <summary>What the root has when the step was not disturbed, and then what nothing keeps was collected.</summary>
    public StoreView Undisturbed { get; init; } = new();

    /// <summary>The calls that it made in its root.</summary>
    public IReadOnlyList<CallSite> Sites { get; init; } = [];
}
