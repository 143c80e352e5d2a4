/** What hides resources from whoever reads a template, or the change set that CloudFormation makes of it. */

/** Types that hold resources of their own, in words that follow "is". */
const HOLDERS: Readonly<Record<string, string>> = {
  'AWS::CloudFormation::Stack': 'a nested stack',
  'AWS::CloudFormation::StackSet': 'a stack set',
  'AWS::ServiceCatalog::CloudFormationProvisionedProduct': 'a provisioned product',
};

/** What a resource of this type is, if it holds others; undefined for one that is what it says. */
export const holderOf = (type: string): string | undefined =>
  (Object.hasOwn(HOLDERS, type) ? HOLDERS[type] : undefined) ?? (type.endsWith('::MODULE') ? 'a module' : undefined);
